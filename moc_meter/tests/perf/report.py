# SPDX-License-Identifier: Apache-2.0
"""What was measured, in words and as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Result,
    Setting,
    Verdict,
)

_WORDS = {None: 'not measured', True: 'holds', False: 'MISSED'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all results of one invocation are of, said when it begins.

    rows: the sets of samples; usual_rows: of a target that names none.
    commit: that is checked out; '+' where files differ from it.
    """

    date: str
    commit: str
    machine: Mapping[str, object]
    rows: Sequence[str]
    usual_rows: str
    turns: int
    peers: bool


def begun(setting: Setting) -> Run:
    return Run(date=f'{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M}',
               commit=_commit(), machine=_machine(), rows=setting.rows,
               usual_rows=setting.usual_rows, turns=setting.turns,
               peers=setting.peers)


def lines(result: Result) -> Iterator[str]:
    """A result as it is printed."""
    yield f'{result.target}: {result.title}'
    for figure in result.figures:
        yield f'  {figure.name}: {measured(figure)}'
    for verdict in result.verdicts:
        yield (f'    {subject(verdict.bound)}: {outcome(verdict)}, '
               f'target {limit(verdict)}: {word(verdict)}')


def measured(figure: Figure) -> str:
    """A figure's median and spread."""
    said = f'{number(figure.median)} {figure.unit}'
    if len(figure.values) == 1:
        return said
    return said + (f' ({number(min(figure.values))} … '
                   f'{number(max(figure.values))}, '
                   f'{len(figure.values)} turns)')


def subject(bound: Bound) -> str:
    """What a bound is about."""
    return f'{bound.of} / {bound.by}' if bound.by else bound.of


def outcome(verdict: Verdict) -> str:
    """What a bound's figure or ratio came to."""
    if (verdict.measured is None or verdict.lowest is None
            or verdict.highest is None):
        return '–'
    said = f'{number(verdict.measured)} {verdict.unit}'.rstrip()
    if verdict.lowest == verdict.highest:
        return said
    return said + f' ({number(verdict.lowest)} … {number(verdict.highest)})'


def limit(verdict: Verdict) -> str:
    """What a bound asks for."""
    bound = verdict.bound
    return ' and '.join(
        f'{sign} {value:,g} {verdict.unit}'.rstrip()
        for sign, value in (('≥', bound.least), ('≤', bound.most))
        if value is not None)


def word(verdict: Verdict) -> str:
    """Whether a bound holds."""
    return _WORDS[verdict.holds]


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f'{value:,.0f}' if abs(value) >= 100 else f'{value:.3g}'


def document(results: Sequence[Result], run: Run) -> dict[str, object]:
    """The results, with what they are of."""
    return dataclasses.asdict(run) | {
        'results': [dataclasses.asdict(result) | {
            'verdicts': [dataclasses.asdict(verdict) | {
                'holds': verdict.holds} for verdict in result.verdicts]}
            for result in results]}


def _commit() -> str:
    return subprocess.run(
        ['git', 'describe', '--always', '--abbrev=12', '--dirty=+'],
        cwd=Path(__file__).parent, capture_output=True, check=True,
        text=True).stdout.strip()


def _machine() -> dict[str, object]:
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return {'system': platform.platform(), 'CPUs': os.cpu_count(),
            'GiB': round(memory / 2 ** 30),
            'Python': platform.python_version()}
