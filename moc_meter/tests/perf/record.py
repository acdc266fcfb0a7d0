# SPDX-License-Identifier: Apache-2.0
"""What was measured, as a page of the documentation with a plot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from moc_meter.tests.perf import report
from moc_meter.tests.perf.data import SIZES
from moc_meter.tests.perf.frame import (
    PEERS,
    Figure,
    Result,
    Target,
    judged,
)

_FOLDER = Path(__file__).parents[3] / 'doc' / 'source' / 'reference'
_TABLE = """.. list-table::
   :header-rows: 1
   :widths: 46 24 14 16

   * - figure, or ratio of two
     - measured (lowest … highest)
     - target
     - outcome"""


def write(results: Sequence[Result], targets: Mapping[str, Target],
          run: report.Run) -> None:
    """The page, and its plot; nothing stays of what another run has written.
    """
    _FOLDER.mkdir(exist_ok=True)
    drawing = _FOLDER / 'growth.svg'
    drawing.unlink(missing_ok=True)
    for result in results:
        if result.target == 'T6':
            _plot(result.figures, drawing)
    (_FOLDER / 'performance.rst').write_text(
        '\n'.join(page(results, targets, run)) + '\n')


def _unknown(target: Target) -> Result:
    return Result(target=target.name, title=target.title, figures=(),
                  verdicts=[judged(bound, {}) for bound in target.bounds])


def page(results: Sequence[Result], targets: Mapping[str, Target],
         run: report.Run) -> Iterator[str]:
    """The lines of the page of all targets, of which these are the results.
    """
    by_name = {result.target: result for result in results}
    every = [by_name.get(name) or _unknown(target)
             for name, target in targets.items()]
    machine = ', '.join(f'{name} {value}' for name, value
                        in run.machine.items())
    yield from (
        '..', '   Written by tox -e perf -- --record; what is known besides',
        '   stands in performance-findings.rst.', '',
        'Performance', '===========', '',
        (f'Measured by one run of ``tox -e perf``, begun {run.date} UTC, '
         f'commit ``{run.commit}``; {machine}; on the sets of samples '
         f'{", ".join(run.rows)}, of which {run.usual_rows} is meant where '
         'a target names none. What counts is the median of '
         'turns that ours and its reference took one after the other; in '
         'brackets stands how far they lay apart. What did not run in the '
         'same invocation on the same data is *not measured*.'), '')
    missed = [f'{result.target} ({report.subject(verdict.bound)})'
              for result in every for verdict in result.verdicts
              if verdict.holds is False]
    yield f'Falls short: {", ".join(missed)}.' if missed else (
        'Nothing that was measured falls short.')
    for result in every:
        title = f'{result.target}: {result.title}'
        yield from ('', title, '-' * len(title), '', _TABLE)
        yield from _rows(result)
        if result.target == 'T6' and result in results:
            yield from ('', '.. figure:: growth.svg', '',
                        '   Milliseconds against rows.')
    yield from ('', '.. include:: performance-findings.rst')


def _rows(result: Result) -> Iterator[str]:
    for figure in result.figures:
        yield from _row(figure.name, report.measured(figure), '', '')
    for verdict in result.verdicts:
        yield from _row(report.subject(verdict.bound),
                        report.outcome(verdict), report.limit(verdict),
                        report.word(verdict))


def _row(*cells: str) -> Iterable[str]:
    for place, cell in enumerate(cells):
        yield ('     - ' if place else '   * - ') + cell


def _plot(figures: Sequence[Figure], file: Path) -> None:
    """Of figures that are named 'who: question, rows', in milliseconds.

    A question has a colour, and who answers it a line.
    """
    from matplotlib import pyplot
    pyplot.rcParams['svg.hashsalt'] = 'growth'
    lines: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        name, _, size = figure.name.rpartition(', ')
        if size in SIZES and not name.endswith(', a series'):
            lines.setdefault(name, []).append(
                (SIZES[size].samples, figure.median))
    drawing, axes = pyplot.subplots(figsize=(7, 4.5))
    questions = [*dict.fromkeys(map(_question, lines))]
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), marker='o', label=name,
                  color=f'C{questions.index(_question(name))}',
                  linestyle='--' if name.startswith(PEERS) else '-')
    axes.set(xscale='log', yscale='log', xlabel='samples in the store',
             ylabel='ms')
    axes.legend(loc='upper left', bbox_to_anchor=(1, 1))
    drawing.savefig(file, metadata={'Date': None}, bbox_inches='tight')


def _question(name: str) -> str:
    return name.partition(': ')[2]
