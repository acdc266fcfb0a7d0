# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth ask: one question, answered from the truth."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from moc_meter import errors
from moc_meter.cmd.truth import rows, worlds
from moc_meter.truth import answers, questions, usage
from moc_meter.truth.world import World

TITLE = 'answer a question from the truth'
ABOUT = ('Answer one question from the truth, without any service: one of the '
         "v2 API, or one about usage ('/truth/usage/vcpus?…'). A table on a "
         'terminal, otherwise a JSON object a line.')
EPILOG = ('example:\n'
          "  moc-meter truth ask --seed 7 "
          "'/v2/meters/cpu/statistics?groupby=project_id'\n"
          "  moc-meter truth ask --seed 7 '/truth/usage/vcpus?by=project_id'"
          '\n\n'
          'Exit status: 0: answered; 1: there is no such sample or resource; '
          '2: there is no\nsuch question.')


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('question', metavar='QUESTION',
                        help='a path and its query, as after the host in a '
                             'URL')
    parser.add_argument('--json', action='store_true',
                        help='JSON lines on a terminal too')


def run(asked: argparse.Namespace) -> int:
    world = worlds.world(asked)
    try:
        found = _answered(world, asked.question)
    except ValueError as fault:
        raise errors.InvalidQuery(
            'the truth knows no such question; questions begin with /v2/ or '
            '/truth/', question=asked.question, reason=str(fault)) from None
    if found == [None]:
        print(f'moc-meter: the world has nothing of that name: '
              f'{asked.question}', file=sys.stderr)
        return 1
    write = (rows.lines if asked.json or not sys.stdout.isatty()
             else rows.table)
    for line in write(found):
        print(line)
    return 0


def _answered(world: World, question: str) -> list[Any]:
    """The rows; a single thing is a row, None where it is not there."""
    if question.startswith('/truth/'):
        return list(usage.answer(world, question))
    [answer] = answers.answer([questions.parse(question)], world.samples())
    shown: Any = answer.shown()
    return shown if isinstance(shown, list) else [shown]
