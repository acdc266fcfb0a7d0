# SPDX-License-Identifier: Apache-2.0
"""Samples to POST /v2/ingest of a service, each until it is answered."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from moc_meter import errors
from moc_meter.cmd import credentials
from moc_meter.cmd.truth import address
from moc_meter.model.pause import pauses
from moc_meter.truth import files
from moc_meter.truth.forms import Sample

_TIMEOUT = 60.0
#: Answers after which the same request may be taken.
_AGAIN = (429, 500, 502, 503, 504)
_TAKEN = ('stored', 'duplicate')


class OverApi:
    """Keeps one connection; each sample is answered by what became of it.

    Where the service is away it is sent again: ids make that harmless.
    """

    def __init__(self, url: str, wait: float) -> None:
        """
        url: 'http://name:word@host/' says who sends, by HTTP's basic
            authentication; otherwise the variables OS_* do.
        wait: seconds without an answer after which it is given up.
        Raises InvalidConfiguration where there can be no service.
        """
        found = address.split(url, '--api')
        self.counts: Counter[str] = Counter()
        self._url = address.bare(url)
        self._own = address.authorization(found)
        self._path = found.path.rstrip('/') + '/v2/ingest'
        make = (http.client.HTTPSConnection if found.scheme == 'https'
                else http.client.HTTPConnection)
        self._wire = make(str(found.hostname), found.port, timeout=_TIMEOUT)
        self._wait = wait

    def send(self, samples: Sequence[Sample]) -> None:
        """Raises StoreUnavailable, or InvalidQuery where all is refused."""
        body = f'[{",".join(files.lines(samples))}]'.encode()
        for one in json.loads(self._answered(lambda: self._post(body))):
            self.counts[one['status']] += 1
            if one['status'] not in _TAKEN:
                print(f'{one["status"]}: message_id={one["message_id"]} '
                      f'{one.get("reason") or ""}', file=sys.stderr)

    @property
    def complete(self) -> bool:
        """Whether every sample is in the store."""
        return not self.counts.keys() - set(_TAKEN)

    def close(self) -> None:
        self._wire.close()

    def _answered(self, ask: Callable[[], tuple[int, bytes]]) -> bytes:
        deadline, said = time.monotonic() + self._wait, False
        for pause in pauses(longest=10.0):
            status, found = ask()
            if 200 <= status < 300:
                return found
            reason = found[:1000].decode(errors='replace')
            if status and status not in _AGAIN:
                raise errors.InvalidQuery('the service refused',
                                          url=self._url, status=status,
                                          answer=reason)
            if time.monotonic() + pause > deadline:
                break
            if not said:
                print(f'{self._url} does not answer, trying again: '
                      f'{status or ""} {reason}', file=sys.stderr)
                said = True
            time.sleep(pause)
        raise errors.StoreUnavailable(
            'the service does not answer; is it running there? What was sent '
            'may be sent again', option='--api', value=self._url,
            reason=reason)

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Status and answer; 0 and the reason where there was none."""
        try:
            self._wire.request('POST', self._path, body,
                               {'Content-Type': 'application/json',
                                **(self._own or credentials.headers())})
            answer = self._wire.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as fault:
            with contextlib.suppress(OSError):
                self._wire.close()
            return 0, (str(fault) or repr(fault)).encode()
