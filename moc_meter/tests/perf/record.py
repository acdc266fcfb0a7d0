# SPDX-License-Identifier: Apache-2.0
"""What was measured, as a page of the documentation with a plot."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from moc_meter.tests.perf import report
from moc_meter.tests.perf.data import SIZES
from moc_meter.tests.perf.frame import Figure, Result, Target, judged

_FOLDER = Path(__file__).parents[3] / 'doc' / 'source' / 'reference'
_TABLE = """.. list-table::
   :header-rows: 1
   :widths: 46 24 14 16

   * - figure, or ratio of two
     - measured (lowest … highest)
     - target
     - outcome"""


def write(results: Sequence[Result], targets: Mapping[str, Target],
          rows: Sequence[str]) -> None:
    """The page of all targets, of which these are the results.

    rows: the sets of samples that were measured.
    """
    by_name = {result.target: result for result in results}
    every = [by_name.get(name) or _unknown(target)
             for name, target in targets.items()]
    _FOLDER.mkdir(exist_ok=True)
    growth = by_name['T6'].figures if 'T6' in by_name else ()
    if growth:
        _plot(growth, _FOLDER / 'growth.svg')
    page = '\n'.join(_page(every, rows, bool(growth)))
    (_FOLDER / 'performance.rst').write_text(page + '\n')


def _unknown(target: Target) -> Result:
    return Result(target=target.name, title=target.title, figures=(),
                  verdicts=[judged(bound, {}) for bound in target.bounds])


def _page(results: Sequence[Result], rows: Sequence[str],
          has_plot: bool) -> Iterator[str]:
    machine = ', '.join(f'{name} {value}' for name, value
                        in report.machine().items())
    yield from (
        '..', '   Written by tox -e perf -- --record; what is known besides',
        '   stands in performance-findings.rst.', '',
        'Performance', '===========', '',
        ('Measured by ``tox -e perf`` on '
         f'{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, commit '
         f'``{report.commit()}``; {machine}; on the sets of samples '
         f'{", ".join(rows)}. What counts is the median of '
         'turns that ours and its reference took one after the other; in '
         'brackets stands how far they lay apart. What did not run in the '
         'same invocation on the same data is *not measured*.'), '')
    missed = [f'{result.target} ({report.subject(verdict.bound)})'
              for result in results for verdict in result.verdicts
              if verdict.holds is False]
    yield f'Falls short: {", ".join(missed)}.' if missed else (
        'Nothing that was measured falls short.')
    for result in results:
        title = f'{result.target}: {result.title}'
        yield from ('', title, '-' * len(title), '', _TABLE)
        yield from _rows(result)
        if result.target == 'T6' and has_plot:
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
    """Of figures that are named 'who: question, rows', in milliseconds."""
    from matplotlib import pyplot
    pyplot.rcParams['svg.hashsalt'] = 'growth'
    lines: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        name, _, size = figure.name.rpartition(', ')
        if size in SIZES and not name.endswith(', a series'):
            lines.setdefault(name, []).append(
                (SIZES[size].samples, figure.median))
    drawing, axes = pyplot.subplots(figsize=(7, 4.5))
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), marker='o', label=name)
    axes.set(xscale='log', yscale='log', xlabel='samples in the store',
             ylabel='ms')
    axes.legend()
    drawing.savefig(file, metadata={'Date': None})
