# SPDX-License-Identifier: Apache-2.0
"""Who a command is to the API, for one that asks it in its own way.

Commands for users ask by moc_meter.client, which finds the same session.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from moc_meter.client import connection, opening

if TYPE_CHECKING:
    # Large, and for those only who name Keystone.
    from keystoneauth1.session import Session


def headers() -> dict[str, str]:
    """Headers that say who asks; none where the environment names nobody.

    OS_CLOUD names a cloud of clouds.yaml; OS_AUTH_URL, OS_USERNAME and so on
    are for Keystone; OS_AUTH_TYPE may be v3applicationcredential, v3token, or
    http_basic for a service without Keystone. A token is asked for once, and
    again before it expires.
    Raises InvalidConfiguration where they do not fit, Unauthorized where
    they are refused, Unreachable where Keystone does not answer.
    """
    if not opening.environment_says_who():
        return {}
    from keystoneauth1 import exceptions
    try:
        return dict(_session().get_auth_headers() or {})
    except exceptions.ClientException as fault:
        raise connection.of_session(fault) from fault


@functools.cache
def _session() -> Session:
    return opening.cloud_region().get_session()
