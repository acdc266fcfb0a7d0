# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth check: what a running service says, against the truth."""

from __future__ import annotations

import argparse
import contextlib
import json

from moc_meter import errors
from moc_meter.cmd import credentials
from moc_meter.cmd.truth import address, worlds
from moc_meter.progress import Progress
from moc_meter.truth import answers, check, questions
from moc_meter.truth.report import Report
from moc_meter.truth.service import ServiceFailed

TITLE = 'check what a service says of the world'
ABOUT = ('Ask a running service for every sample of the world, then random '
         'questions, and name each answer that is not true: the question, '
         'the answer, the truth, what most likely went wrong, and a command '
         'that asks again. Samples of other sources do not matter.')
EPILOG = ('example:\n'
          '  moc-meter truth check --seed 7 --url http://127.0.0.1:8777\n\n'
          'Exit status: 0: every answer is equal to the truth; 1: there are '
          'differences;\n2: it could not be checked, as where it answers '
          'nothing but server errors,\nwith the reason on stderr.')


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--url', required=True, metavar='URL',
                        help="where the API is; the variables OS_* say who "
                             "asks, or http://name:word@host/ for HTTP's "
                             "basic authentication")
    parser.add_argument('--questions', type=_count, default=500, metavar='N',
                        help='how many are asked by chance (default: '
                             '%(default)s)')
    parser.add_argument('--question-seed', type=int, metavar='N',
                        help='other questions about the same world '
                             '(default: --seed)')
    parser.add_argument('--question', action='append', default=[],
                        metavar='QUESTION',
                        help='ask this one instead, a path and query from '
                             '/v2 on; may be said again')
    parser.add_argument('--json', action='store_true',
                        help='the report as one JSON object')


def run(asked: argparse.Namespace) -> int:
    world = worlds.world(asked)
    address.split(asked.url, '--url')
    for text in asked.question:
        _known(text)
    try:
        with _Bars(len(asked.question) or asked.questions) as bars:
            report = check.check(
                asked.url, world, questions=asked.questions,
                seed=asked.question_seed, only=asked.question,
                headers=credentials.headers, progress=bars.show)
    except ServiceFailed as fault:
        raise errors.StoreUnavailable(str(fault)) from None
    print(json.dumps(report.document(), ensure_ascii=False) if asked.json
          else report.text())
    if _away(report):
        raise errors.StoreUnavailable(
            'the service answers every question with a server error, so it '
            'could not be checked', url=report.url,
            status=report.wrong[0].said.status)
    return 0 if report.ok else 1


def _known(text: str) -> None:
    """Raises InvalidQuery where the API has no such question."""
    try:
        answers.blank(questions.parse(text))
    except ValueError as fault:
        raise errors.InvalidQuery(
            'there is no such question', option='--question', value=text,
            reason=str(fault)) from None


def _away(report: Report) -> bool:
    """Whether nothing is known of it but that it cannot answer."""
    return (0 < report.questions == len(report.wrong)
            and (report.reading is None or report.reading.ok)
            and all(one.said.status >= 500 for one in report.wrong))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(
            f'a number of questions is expected, not {text!r}')
    return int(text)


class _Bars:
    """A bar for the samples, then one for the questions."""

    def __init__(self, questions: int) -> None:
        self._wholes = {'samples': None, 'questions': questions}
        self._doing, self._done = '', 0
        self._bar = contextlib.ExitStack()
        self._progress = Progress(None)

    def show(self, doing: str, done: int) -> None:
        if doing != self._doing:
            self._bar.close()
            self._doing, self._done = doing, 0
            self._progress = self._bar.enter_context(
                Progress(self._wholes.get(doing)))
        self._progress.advance(done - self._done)
        self._done = done

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
