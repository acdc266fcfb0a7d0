# SPDX-License-Identifier: Apache-2.0
"""python -m moc_meter.tests.perf [T1 …] [--json FILE] [--profile]

Measures the targets, each beside its references and in the same minutes, on
servers that it starts for itself, and says whether they hold. Missing a
target is no failure: the machine may have had other things to do.
"""

from __future__ import annotations

import argparse
import cProfile
import dataclasses
import json
import os
import platform
import pstats
import subprocess
from pathlib import Path

from moc_meter.tests.perf.frame import Result, Target, measure
from moc_meter.tests.perf.store import T1

TARGETS = {target.name: target for target in (T1,)}


def main() -> None:
    asked = _arguments()
    results = []
    for name in asked.targets or TARGETS:
        if asked.profile:
            _profile(TARGETS[name], asked.turns)
            continue
        results.append(measure(TARGETS[name], asked.turns))
        print(*results[-1].lines(), sep='\n', flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(_said(results), indent=1) + '\n')


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='moc_meter.tests.perf',
        description='Measure the targets of performance.')
    parser.add_argument('targets', nargs='*', metavar='TARGET',
                        choices=[*TARGETS, []],
                        help=f'of {", ".join(TARGETS)}; default: all')
    parser.add_argument('--turns', type=int, default=7,
                        help='of each side; what counts is their median')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='write the results there, too')
    parser.add_argument('--profile', action='store_true',
                        help='say instead where our side spends its time')
    return parser.parse_args()


def _profile(target: Target, turns: int) -> None:
    """What of our side's time goes where; measuring that takes time itself.
    """
    profile = cProfile.Profile()
    with target.sides() as (ours, *_):
        for turn in range(turns + 1):
            ours.ready()
            if turn:
                profile.runcall(ours.turn)
            else:
                ours.turn()
    pstats.Stats(profile).sort_stats('tottime').print_stats(40)


def _said(results: list[Result]) -> dict[str, object]:
    """The results, with the machine and the commit that they are of."""
    return {
        'commit': subprocess.run(
            ['git', 'rev-parse', 'HEAD'], cwd=Path(__file__).parent,
            capture_output=True, check=True, text=True).stdout.strip(),
        'machine': {'system': platform.platform(), 'CPUs': os.cpu_count(),
                    'Python': platform.python_version()},
        'results': [dataclasses.asdict(result) | {
            'ratios': [dataclasses.asdict(ratio) | {'holds': ratio.holds}
                       for ratio in result.ratios]} for result in results]}


if __name__ == '__main__':
    main()
