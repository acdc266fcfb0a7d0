# SPDX-License-Identifier: Apache-2.0
"""A copy of the service with a defect: the check finds it, and says where."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from moc_meter.cmd.truth.over_api import OverApi
from moc_meter.tests.acceptance import truths
from moc_meter.tests.acceptance.planted import DEFECTS, Defect
from moc_meter.tests.acceptance.truths import Done
from moc_meter.tests.servers import guard
from moc_meter.truth.world import World

#: Its interfaces wrap, guests restart, and a day in it has 25 hours.
WORLD = World(6, 'small', decimals=True)
#: How many of its samples the first request has.
MIDDLE = 300
SOUND = Defect(name='nothing', file='storage/sqlite.py', text='class _Sum:',
               planted='class _Sum:', leads='')
ALL = {one.name: one for one in (SOUND, *DEFECTS)}


@pytest.fixture(scope='module')
def checked(tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, Future[Done]]]:
    """What the check says of each, by its name; two at a time."""
    # There is one guard of all processes, and two threads must not make it.
    guard.watch(tmp_path_factory.mktemp('guarded'))
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(check, one, tmp_path_factory.mktemp('copy'))
               for name, one in ALL.items()}
        pool.shutdown(cancel_futures=True)


def check(defect: Defect, folder: Path) -> Done:
    """Send the world to a service that has the defect, and check it."""
    copy = folder / 'copy'
    defect.plant(copy)
    samples = list(WORLD.samples() if defect.order == 'time'
                   else WORLD.delivered(defect.order))
    named = [*truths.named(WORLD), '--questions', str(truths.QUESTIONS)]
    with contextlib.ExitStack() as stack:
        url = truths.standalone(stack, folder, {'PYTHONPATH': str(copy)}).url
        way = stack.enter_context(contextlib.closing(OverApi(url, 60)))
        way.send(samples[:MIDDLE])
        if defect.early:
            truths.run('check', *named, '--url', url)
        way.send(samples[MIDDLE:])
        return truths.run('check', *named, '--url', url)


def test_the_copy_itself_is_sound(checked: dict[str, Future[Done]]) -> None:
    done = checked[SOUND.name].result()
    assert done.status == 0, done.said + done.complained


@pytest.mark.parametrize('name', [one.name for one in DEFECTS])
def test_a_planted_defect_is_found_and_named(
        checked: dict[str, Future[Done]], name: str) -> None:
    done = checked[name].result()
    assert done.status == 1, done.said + done.complained
    assert re.search(ALL[name].leads, done.said), done.said
