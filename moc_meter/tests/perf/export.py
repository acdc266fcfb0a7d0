# SPDX-License-Identifier: Apache-2.0
"""T12: what a list of all samples takes of the memory, however long it is.

All of them are one answer, which is read as it comes; then the list is read
by its links, a page of 1000 after the other. The reader is a process of its
own. What counts is the most that server and reader ever had resident beyond
what they had when the server had answered a short list, and the reader had
read one.

python -m moc_meter.tests.perf.export URL PAGES
    reads a list, and so many pages at most; prints the KiB by which it has
    grown, the bytes and the pages that it read, as JSON
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from moc_meter.tests.acceptance.system import Process, ask, configured
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Target,
    say,
)

_NEXT = re.compile(r'<(.*)>; rel="next"')
_PAGE, _PAGES = 1000, 100
_CHUNK = 64 * 1024
#: Seconds that an answer may take.
_PATIENCE = 7200.0


def main(url: str, pages: str) -> None:
    _read(f'{url}?limit={_PAGE}', parsed=True)
    before, size, read = resident('self', 'VmRSS'), 0, 0
    if not int(pages):
        size, _ = _read(f'{url}?limit={10 ** 9}', parsed=False)
    link: str | None = f'{url}?limit={_PAGE}'
    while link and read < int(pages):
        more, link = _read(link, parsed=True)
        size, read = size + more, read + 1
    print(json.dumps({'KiB': resident('self', 'VmHWM') - before,
                      'bytes': size, 'pages': read}))


def _read(url: str, parsed: bool) -> tuple[int, str | None]:
    """How many bytes an answer has, and where the list goes on.

    parsed: take it apart, as who reads a page would.
    """
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
        if parsed:
            body = answer.read()
            json.loads(body)
            size = len(body)
        else:
            size = sum(map(len, iter(lambda: answer.read(_CHUNK), b'')))
        found = _NEXT.search(answer.headers.get('Link', ''))
    return size, found and found[1]


def resident(pid: int | str, what: str) -> int:
    """KiB, of /proc/PID/status."""
    text = Path(f'/proc/{pid}/status').read_text()
    return int(re.findall(rf'^{what}:\s+(\d+)', text, re.MULTILINE)[0])


def _walk(url: str, pages: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, '-m', 'moc_meter.tests.perf.export', url,
         str(pages)], check=True, capture_output=True, timeout=_PATIENCE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _figures(setting: Setting) -> list[Figure]:
    loaded = setting.databases.of(setting.usual_rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = configured(folder, 'moc-meter-api', {
            'database.url': loaded.url, 'api.port': 0,
            'messaging.url': 'amqp://nobody@127.0.0.1:1//'})
        with Process('moc-meter-api', '--config-file', file,
                     folder=folder / 'api') as server:
            url = f'{server.url.rstrip("/")}/v2/samples'
            ask(server.url, f'/v2/samples?limit={_PAGE}')
            before = resident(server.pid, 'VmRSS')
            say(f'one answer of {loaded.shape.samples:,} samples')
            whole = _walk(url, 0)
            say(f'{_PAGES} pages of {_PAGE}')
            paged = _walk(url, _PAGES)
            grown = resident(server.pid, 'VmHWM') - before
    return [Figure(name=name, unit=unit, values=[value]) for name, unit, value
            in (('server', 'MiB', grown / 1024),
                ('reader of one answer', 'MiB', whole['KiB'] / 1024),
                ('reader of pages', 'MiB', paged['KiB'] / 1024),
                ('one answer', 'MiB', whole['bytes'] / 2 ** 20),
                ('samples', 'in it', loaded.shape.samples))]


T12 = Target(
    name='T12', figures=_figures,
    title='memory beyond idleness for a list of all samples, as one answer '
          'and by its links',
    bounds=[Bound(of=name, most=64) for name in (
        'server', 'reader of one answer', 'reader of pages')])

if __name__ == '__main__':
    main(*sys.argv[1:])
