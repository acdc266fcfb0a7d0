# SPDX-License-Identifier: Apache-2.0
"""Who a command is to the API: the variables that OpenStack's clients read."""

from __future__ import annotations

import functools
import os
from typing import Any

from moc_meter import errors


def headers() -> dict[str, str]:
    """Headers that say who asks; none where the environment names nobody.

    OS_AUTH_URL, OS_USERNAME and so on are for Keystone; OS_AUTH_TYPE may be
    v3applicationcredential, v3token, or http_basic for a service without
    Keystone. A token is asked for once, and again before it expires.
    Raises InvalidConfiguration where they do not fit or are refused,
    IdentityUnavailable where Keystone does not answer.
    """
    if not (os.environ.get('OS_AUTH_TYPE') or os.environ.get('OS_AUTH_URL')):
        return {}
    from keystoneauth1 import exceptions
    try:
        return dict(_session().get_auth_headers() or {})
    except (exceptions.ConnectionError, exceptions.DiscoveryFailure,
            exceptions.HttpServerError) as fault:
        raise errors.IdentityUnavailable(
            'Keystone does not answer', reason=str(fault)) from fault
    except exceptions.ClientException as fault:
        raise errors.InvalidConfiguration(
            'the variables OS_* name nobody who may come in',
            reason=str(fault)) from fault


@functools.cache
def _session() -> Any:
    # The libraries of Keystone are for those who name it.
    from keystoneauth1 import loading, session
    loader: Any = loading.get_plugin_loader(
        os.environ.get('OS_AUTH_TYPE') or 'password')
    return session.Session(
        loader.load_from_options_getter(lambda option: os.environ.get(
            'OS_' + option.name.upper().replace('-', '_')) or None),
        verify=os.environ.get('OS_CACERT') or True)
