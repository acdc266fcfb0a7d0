# SPDX-License-Identifier: Apache-2.0
"""One way to a service: who asks, where, how long, and how often."""

from __future__ import annotations

import logging
import re
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moc_meter.client import answers, faults, retry
from moc_meter.model.pause import pauses

if TYPE_CHECKING:
    # They are large; whoever has a session has loaded them.
    import requests
    from keystoneauth1 import session as sessions

#: In Keystone's catalogue.
SERVICE_TYPE = 'metering'
_NO_SERVICE = "Keystone's catalogue has no such service"
_VERSIONED = re.compile(r'/v[12]/*$|/+$')
_URL = re.compile(r'https?://[^\s?]+')
#: What keystoneauth says of a request. Of who asks it logs a digest, by which
#: a short password can be guessed.
_LOG = logging.getLogger(__name__)
_PROOF = re.compile(r' -H "Authorization: [^"]*"', re.IGNORECASE)

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A session, and what is asked through it.

    url: of the service; None: as Keystone's catalogue has it.
    timeout: seconds without a byte after which an answer is given up.
    patience: seconds for which a question is asked again.
    """

    session: sessions.Session
    url: str | None = None
    interface: str = 'public'
    region: str | None = None
    timeout: float = 60.0
    patience: float = 30.0
    _found: list[str] = field(default_factory=list, repr=False)

    def ask(self, verb: str, path: str, query: Query = (),
            body: bytes | None = None, *, again: bool = True
            ) -> answers.Answer:
        """The answer to a question.

        path: below the URL of the service, quoted.
        body: JSON.
        again: whether asking twice does no harm.
        Raises a ClientFault.
        """
        begun = time.monotonic()
        growing = pauses(retry.FIRST, retry.LONGEST)
        while True:
            try:
                return answers.read(self._sent(verb, path, query, body))
            except faults.ClientFault as fault:
                seconds = retry.pause(
                    fault.retry_after, next(growing),
                    time.monotonic() - begun,
                    self.patience) if again and fault.retryable else None
                if seconds is None:
                    raise
            time.sleep(seconds)

    def close(self) -> None:
        """Let the service go; what is asked later connects again."""
        self.session.session.close()

    def _sent(self, verb: str, path: str, query: Query,
              body: bytes | None) -> requests.Response:
        from keystoneauth1 import exceptions
        try:
            url = self._endpoint() + path
            return self.session.request(
                f'{url}?{urllib.parse.urlencode(query)}' if query else url,
                verb, data=body, raise_exc=False, timeout=self.timeout,
                # A token is for whom we know, and not for whom he names.
                redirect=False, logger=_LOG, headers={
                    'Accept': 'application/json',
                    'Content-Type': 'application/json'})
        except exceptions.ClientException as fault:
            raise of_session(fault) from fault
        except OSError as fault:
            # All that comes of the network, the session has caught.
            raise faults.Untrusted('certificates cannot be read',
                                   reason=str(fault)) from fault

    def _endpoint(self) -> str:
        """Where the service is, without a slash at the end."""
        if not self._found:
            self._found.append(_VERSIONED.sub('', self.url or str(
                self.session.get_endpoint(
                    service_type=SERVICE_TYPE, interface=self.interface,
                    region_name=self.region) or '')))
        if not self._found[0]:
            raise faults.NoService(
                _NO_SERVICE, service_type=SERVICE_TYPE,
                interface=self.interface, region=self.region)
        return self._found[0]


def _without_proof(record: logging.LogRecord) -> bool:
    record.msg, record.args = _PROOF.sub('', record.getMessage()), ()
    return True


_LOG.addFilter(_without_proof)


def of_session(fault: Exception) -> faults.ClientFault:
    """What keystoneauth raises, as one of ours."""
    from keystoneauth1 import exceptions
    asked = _URL.search(str(fault))
    about: dict[str, Any] = {
        'url': asked and asked[0].rstrip(':'),
        'reason': _innermost(fault)}
    match fault:
        case exceptions.SSLError():
            return faults.Untrusted('the server is not trusted', **about)
        case (exceptions.ConnectionError() | exceptions.DiscoveryFailure()
              | exceptions.HttpServerError()):
            return faults.Unreachable('no answer, or no whole one', **about)
        case exceptions.CatalogException():
            return faults.NoService(_NO_SERVICE, service_type=SERVICE_TYPE,
                                    reason=str(fault))
    return faults.Unauthorized(
        'Keystone does not let this caller in', reason=str(fault),
        status=getattr(fault, 'http_status', None),
        request_id=getattr(fault, 'request_id', None))


def _innermost(fault: BaseException) -> str:
    """What it came of, without the words of each layer around it."""
    while inner := fault.__cause__ or fault.__context__:
        fault = inner
    return getattr(fault, 'strerror', None) or str(fault) or repr(fault)
