# SPDX-License-Identifier: Apache-2.0
"""What stands around the application: request ids, proxies, other origins.

Outermost first: each request is given an id, which its answer and every line
of the log bear; then what a proxy says of where the request came in is
believed, if there is a proxy; then pages of other origins are let in, if some
are allowed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from oslo_config import cfg
from oslo_context import context
from oslo_middleware import cors, http_proxy_to_wsgi

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Environ = dict[str, Any]

#: Where an answer says the id of its request.
HEADER = 'X-Openstack-Request-Id'
_WELL_FORMED = re.compile(
    r'req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
#: What an answer to the same URL depends on.
_VARY = 'Accept, Accept-Encoding, Authorization, X-Auth-Token'
#: What a page of another origin may send, and what it may read.
_CORS = {
    'allow_methods': ['GET', 'POST'],
    'allow_headers': ['Accept', 'Content-Type', 'If-None-Match',
                      'X-Auth-Token', HEADER],
    'expose_headers': [HEADER, 'ETag', 'Link', 'Retry-After'],
    # A token is sent by the page, which has it; browsers add nothing.
    'allow_credentials': False}


def request_id() -> str:
    """The id of the request that this thread answers."""
    current = context.get_current()
    return str(current.request_id) if current else new_id()


def new_id() -> str:
    """An id that no request has had."""
    return f'req-{uuid.uuid4()}'


def around(application: Application, *, behind_proxy: bool,
           allowed_origins: Sequence[str]) -> Application:
    """The application, with all that stands around it.

    behind_proxy: whether X-Forwarded-* and Forwarded are believed.
    allowed_origins: of pages that may ask by a browser.
    """
    if allowed_origins:
        application = _open(application, allowed_origins)
    if behind_proxy:
        application = http_proxy_to_wsgi.HTTPProxyToWSGI(
            application, _options(http_proxy_to_wsgi.OPTS, 'oslo_middleware',
                                  enable_proxy_headers_parsing=True))
    return _identified(application)


def _identified(application: Application) -> Application:
    """Takes a caller's id over, if it is one, so that both logs have it."""
    def identified(environ: Environ, start: Callable[..., Any]
                   ) -> Iterable[bytes]:
        given = environ.get('HTTP_X_OPENSTACK_REQUEST_ID', '')
        found = given if _WELL_FORMED.fullmatch(given) else new_id()
        # Whatever this thread logs from now on bears the id.
        context.RequestContext(request_id=found, overwrite=True)

        def started(status: str, headers: list[tuple[str, str]],
                    *error: Any) -> Any:
            return start(status, [
                *headers, (HEADER, found),
                ('Vary', _VARY)], *error)

        return application(environ, started)

    return identified


def _open(application: Application,
          allowed_origins: Sequence[str]) -> Application:
    opened = cors.CORS(application, _options(
        cors.OPTS, 'cors', allowed_origin=list(allowed_origins), **_CORS))

    def choose(environ: Environ, start: Callable[..., Any]
               ) -> Iterable[bytes]:
        # Without an origin OPTIONS is a verb like others, and not offered.
        chosen = opened if 'HTTP_ORIGIN' in environ else application
        answer: Iterable[bytes] = chosen(environ, start)
        return answer

    return choose


def _options(options: Sequence[cfg.Opt], group: str,
             **values: Any) -> cfg.ConfigOpts:
    """The form in which these libraries take their options."""
    made = cfg.ConfigOpts()
    made.register_opts(options, group)
    for name, value in values.items():
        made.set_override(name, value, group)
    return made
