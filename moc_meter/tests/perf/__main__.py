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
from moc_meter.tests.perf.frame import Result, Setting, measure
from moc_meter.tests.perf.progress import say
from moc_meter.tests.perf.targets import CHEAP, TARGETS

#: Of --cheap, and otherwise.
_ROWS = {True: ['1M'], False: ['1M', '10M']}
_TURNS = {True: 3, False: 7}


def main() -> None:
    asked = _arguments()
    names = asked.targets or (CHEAP if asked.cheap else TARGETS)
    rows = sorted(asked.rows or _ROWS[asked.cheap], key=[*SIZES].index)
    print(f'sets of samples: {", ".join(rows)}', flush=True)
    with Databases(asked.keep) as databases:
        results = [*map(_result, names, [Setting(
            databases=databases, peers=asked.peers, profile=asked.profile,
            rows=rows,
            turns=asked.turns or _TURNS[asked.cheap])] * len(names))]
    if asked.json:
        asked.json.write_text(
            json.dumps(report.document(results, rows), indent=1) + '\n')
    if asked.record:
        record.write(results, TARGETS, rows)


def _result(name: str, setting: Setting) -> Result:
    say(f'{name}: {TARGETS[name].title}')
    result = measure(TARGETS[name], setting)
    print(*report.lines(result), sep='\n', flush=True)
    return result


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
