# SPDX-License-Identifier: Apache-2.0
"""What the all-in-one tells a newcomer: where it is, and a first answer."""

from __future__ import annotations

import datetime
import json
import shlex
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any
from urllib import parse

from moc_meter.agent.polling.machine import CPU_UTIL
from moc_meter.model import period

_TIMEOUT = 10.0
_LOOK_SECONDS = 0.5
_SECOND = datetime.timedelta(seconds=1)


class Greeting:
    """Speaks on standard output; asks as any client would."""

    def __init__(self, url: str, state_dir: str, host: str,
                 interval: int, answered: bool = True) -> None:
        """host: name of this host's resource; interval: seconds from one
        reading of it to the next; answered: whether one who does not say who
        it is may ask.
        """
        self._url = url
        self._host = host
        self._state_dir = state_dir
        self._interval = interval
        self._answered = answered
        self._notes: list[str] = []

    def add(self, note: str) -> None:
        """Something else to be said at the start."""
        self._notes.append(note)

    def run(self, stop: threading.Event) -> None:
        """Say where we are, then show the first answer when there is one."""
        say(*self._notes,
            f'moc_meter listens on {self._url}',
            f'Its data lie in {self._state_dir}',
            f'It reads this machine every {self._interval} s; '
            + ('a first answer comes after the second reading.'
               if self._answered else 'callers must say who they are.')
            + ' Ctrl-C stops it.')
        if not self._answered:
            return
        start = datetime.datetime.now(datetime.UTC)
        while not stop.wait(_LOOK_SECONDS):
            end = datetime.datetime.now(datetime.UTC)
            rows = ask(self._url, self._question(start, end))
            if rows and (end - start).total_seconds() > self._interval:
                # Up to the newest sample, and no further: a later one must
                # not make another answer of it while somebody reads.
                newest = datetime.datetime.fromisoformat(
                    rows[0]['duration_end'])
                end = newest.replace(tzinfo=datetime.UTC) + _SECOND
                path = self._question(start, end)
                self._show(path, ask(self._url, path)[0], start, end)
                return

    def _question(self, start: datetime.datetime, end: datetime.datetime
                  ) -> str:
        rules = [('resource_id', 'eq', self._host),
                 ('timestamp', 'ge', _text(start)),
                 ('timestamp', 'lt', _text(end))]
        return (f'/v2/meters/{CPU_UTIL.meter}/statistics?'
                + '&'.join(parse.urlencode(
                    {'q.field': field, 'q.op': op, 'q.value': value})
                    for field, op, value in rules))

    def _show(self, path: str, row: dict[str, Any], start: datetime.datetime,
              end: datetime.datetime) -> None:
        count = row['count']
        say('',
            f'CPU of {self._host}: mean {row["avg"]:.2f} '
            f'{row["unit"]} of {count} sample{"s" * (count != 1)} '
            f'in [{_text(start)}, {_text(end)}):',
            f'  curl {shlex.quote(self._url + path)}',
            'Try next:',
            f'  curl {shlex.quote(self._url + "/v2/meters?unique=True")}',
            f'  {command("moc-meter-manage")} notification replay --example '
            f'--url {self._url}')


def _text(instant: datetime.datetime) -> str:
    shown = period.floor(instant, _SECOND)
    return shown.strftime('%Y-%m-%dT%H:%M:%S')


def ask(url: str, path: str) -> list[dict[str, Any]]:
    """The rows; none where there is no answer now: it is asked again."""
    try:
        # Our own server: the scheme is ours.
        with urllib.request.urlopen(  # noqa: S310
                url + path, timeout=_TIMEOUT) as answer:
            rows: list[dict[str, Any]] = json.load(answer)
    except OSError:
        return []
    return rows


def command(name: str) -> str:
    """How a script that is installed beside this one is called here."""
    script = Path(sys.argv[0]).with_name(name)
    if script.is_relative_to(Path.cwd()):
        script = script.relative_to(Path.cwd())
    return shlex.quote(str(script))


def say(*lines: str) -> None:
    """On standard output, at once."""
    print('\n'.join(lines), flush=True)
