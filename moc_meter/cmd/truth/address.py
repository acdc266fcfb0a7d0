# SPDX-License-Identifier: Apache-2.0
"""The URL of a service, as somebody typed it."""

from __future__ import annotations

import base64
import re
from urllib import parse

from moc_meter import errors


def split(url: str, option: str) -> parse.SplitResult:
    """Its parts. Raises InvalidConfiguration where there are none."""
    try:
        found = parse.urlsplit(url)
        sound = (found.scheme in ('http', 'https') and found.hostname
                 and found.port != 0)
    except ValueError:
        # What it says may be a part of a password.
        sound = False
    if not sound:
        raise errors.InvalidConfiguration(
            'not the URL of a service; http://HOST:PORT is', option=option,
            value=bare(url))
    return found


def bare(url: str) -> str:
    """The URL as it may be shown: without the name and the password."""
    return re.sub('//.*@', '//', url)


def authorization(url: parse.SplitResult) -> dict[str, str]:
    """The header of the name and the password, where it has them."""
    if url.username is None:
        return {}
    both = f'{url.username}:{url.password or ""}'
    return {'Authorization': 'Basic ' + base64.b64encode(
        parse.unquote(both).encode()).decode()}
