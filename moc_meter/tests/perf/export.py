# SPDX-License-Identifier: Apache-2.0
"""T12: what a list of all samples takes of the memory, however long it is.

All of them are read by their links, in answers as long as the API gives any,
each as it comes; then some in pages of 1000, which are taken apart. The
reader is a process of its own. What counts is the most that server and reader
ever had resident beyond what they had when the server had answered a short
list, and the reader had read one.

python -m moc_meter.tests.perf.export URL LIMIT [PAGES]
    reads a list in pages of LIMIT, so many at most; prints the KiB by which
    it has grown, the bytes and the samples that it read, as JSON
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moc_meter.api.v2.arguments import MOST
from moc_meter.tests.acceptance.system import Process, ask, configured
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Target,
    say,
)

_NEXT = re.compile(r'<(.*)>; rel="next"')
#: Stands in a sample once.
_SAMPLE = b'"recorded_at"'
_PAGE, _PAGES = 1000, 100
_CHUNK = 64 * 1024
#: Seconds that an answer may take.
_PATIENCE = 7200.0


def main(url: str, limit: str, pages: str = '1000000000') -> None:
    _read(f'{url}?limit={_PAGE}', parsed=True)
    before = resident('self', 'VmRSS')
    link: str | None = f'{url}?limit={limit}'
    size = samples = 0
    for _ in range(int(pages)):
        if link is None:
            break
        more, found, link = _read(link, parsed=int(limit) <= _PAGE)
        size, samples = size + more, samples + found
        if int(limit) > _PAGE:
            say(f'{samples:,} samples')
    print(json.dumps({'KiB': resident('self', 'VmHWM') - before,
                      'bytes': size, 'samples': samples}))


def _read(url: str, parsed: bool) -> tuple[int, int, str | None]:
    """How many bytes and samples an answer has, and where the list goes on.

    parsed: take it apart, as who reads a page would.
    """
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
        if parsed:
            body = answer.read()
            size, samples = len(body), len(json.loads(body))
        else:
            size, samples = map(sum, zip(*_counted(answer), strict=True))
        found = _NEXT.search(answer.headers.get('Link', ''))
    return size, samples, found and found[1]


def _counted(answer: Any) -> Iterator[tuple[int, int]]:
    """Bytes and samples, chunk by chunk."""
    rest = b''
    while chunk := answer.read(_CHUNK):
        both = rest + chunk
        yield len(chunk), both.count(_SAMPLE)
        rest = both[1 - len(_SAMPLE):]      # of one that goes on


def resident(pid: int | str, what: str) -> int:
    """KiB, of /proc/PID/status."""
    text = Path(f'/proc/{pid}/status').read_text()
    return int(re.findall(rf'^{what}:\s+(\d+)', text, re.MULTILINE)[0])


def _walk(url: str, *arguments: int) -> dict[str, Any]:
    """What main() prints."""
    done = subprocess.run(
        [sys.executable, '-m', 'moc_meter.tests.perf.export', url,
         *map(str, arguments)], check=True, stdout=subprocess.PIPE,
        timeout=_PATIENCE)
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
            say(f'{loaded.shape.samples:,} samples')
            whole = _walk(url, MOST)
            assert whole['samples'] == loaded.shape.samples
            say(f'{_PAGES} pages of {_PAGE}')
            paged = _walk(url, _PAGE, _PAGES)
            grown = resident(server.pid, 'VmHWM') - before
    return [Figure(name=name, unit=unit, values=[value]) for name, unit, value
            in (('server', 'MiB', grown / 1024),
                ('reader of long answers', 'MiB', whole['KiB'] / 1024),
                ('reader of pages', 'MiB', paged['KiB'] / 1024),
                ('long answers', 'MiB', whole['bytes'] / 2 ** 20),
                ('samples', 'in them', whole['samples']))]


T12 = Target(
    name='T12', figures=_figures,
    title='memory beyond idleness for a list of all samples, in answers as '
          'long as may be, and by pages',
    bounds=[Bound(of=name, most=64) for name in (
        'server', 'reader of long answers', 'reader of pages')])

if __name__ == '__main__':
    main(*sys.argv[1:])
