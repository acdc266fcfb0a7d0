# SPDX-License-Identifier: Apache-2.0
"""python -m moc_meter.tests.perf [T1 …] [--json FILE] [--record] …

Measures the targets, each beside its references and in the same minutes, on
servers that it starts for itself, and says whether they hold. Missing a
target is no failure: the machine may have had other things to do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from moc_meter.tests.perf import record, report
from moc_meter.tests.perf.data import SIZES
from moc_meter.tests.perf.databases import Databases
from moc_meter.tests.perf.frame import Result, Setting, Target, measured
from moc_meter.tests.perf.targets import CHEAP, TARGETS

#: Of --cheap, and otherwise.
_ROWS = {True: ['1M'], False: ['1M', '10M']}
_TURNS = {True: 3, False: 7}


def main() -> None:
    asked = _arguments()
    names = asked.targets or (CHEAP if asked.cheap else TARGETS)
    rows = sorted(asked.rows or _ROWS[asked.cheap], key=[*SIZES].index)
    with Databases(asked.keep) as databases:
        setting = Setting(
            databases=databases, peers=asked.peers, profile=asked.profile,
            rows=rows, turns=asked.turns or _TURNS[asked.cheap])
        print(f'sets of samples: {", ".join(rows)}; where a target names '
              f'none, {setting.usual_rows}', flush=True)
        _measure([TARGETS[name] for name in names], setting, asked)


def _measure(targets: Sequence[Target], setting: Setting,
             asked: argparse.Namespace) -> None:
    """What is known is written after each target."""
    run, results = report.begun(setting), list[Result]()
    for result in measured(targets, setting):
        print(*report.lines(result), sep='\n', flush=True)
        results.append(result)
        if asked.json:
            asked.json.write_text(
                json.dumps(report.document(results, run), indent=1) + '\n')
        if asked.record:
            record.write(results, TARGETS, run)


def _arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='moc_meter.tests.perf',
        description='Measure the targets of performance.')
    parser.add_argument('targets', nargs='*', metavar='TARGET',
                        choices=[*TARGETS, []],
                        help=f'of {", ".join(TARGETS)}; default: all')
    parser.add_argument('--rows', action='append', choices=[*SIZES],
                        help='sets of samples, each named by its own '
                             '--rows; default: 1M and 10M')
    parser.add_argument('--turns', type=int,
                        help='of each side; what counts is their median')
    parser.add_argument('--cheap', action='store_true',
                        help=f'{", ".join(CHEAP)} on 1M, in few turns')
    parser.add_argument('--peers', action='store_true',
                        help='measure other services, too')
    parser.add_argument('--profile', action='store_true',
                        help='say instead where our side spends its time')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='write the results there, too')
    parser.add_argument('--record', action='store_true',
                        help='write the results into the documentation')
    parser.add_argument('--keep', type=Path, metavar='DIR',
                        help='keep the databases there for the next run')
    asked = parser.parse_args(arguments)
    if asked.profile and (asked.record or asked.json):
        parser.error('with --profile nothing is measured, so there is '
                     'nothing to write')
    return asked


if __name__ == '__main__':
    main()
