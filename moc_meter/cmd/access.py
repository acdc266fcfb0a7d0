# SPDX-License-Identifier: Apache-2.0
"""Which service moc-meter asks, and as whom: options of the connection."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib import parse

from moc_meter import errors

if TYPE_CHECKING:
    from moc_meter.client.client import Client

_PATIENCE = 2.0
_OPTIONS = ('url', 'os_cloud', 'username', 'password_file', 'ca_file',
            'patience', 'debug')


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add them; what is not given is not there in the namespace."""
    group = parser.add_argument_group(
        'connection', 'The variables OS_* of OpenStack say what is not said '
        'here. With --url alone nobody proves who asks.')

    def option(name: str, metavar: str, text: str,
               kind: type[str] | type[float] = str) -> None:
        group.add_argument(name, metavar=metavar, help=text, type=kind,
                           default=argparse.SUPPRESS)

    option('--url', 'URL', 'where the service is: http://HOST:8777')
    option('--os-cloud', 'NAME', 'a cloud of clouds.yaml')
    option('--username', 'NAME', "who asks, by HTTP's basic authentication; "
           'the password is in --password-file or $OS_PASSWORD, or is asked '
           'for')
    option('--password-file', 'FILE', 'its first line is the password')
    option('--ca-file', 'FILE', 'certificates that are trusted')
    option('--patience', 'SECONDS', 'for so long a service that is away is '
           f'asked again (default: {_PATIENCE:g})', float)
    group.add_argument('--debug', action='store_true',
                       default=argparse.SUPPRESS,
                       help='log requests and answers on stderr, without '
                            'tokens and passwords')


def given(asked: argparse.Namespace) -> dict[str, object]:
    """Those of a namespace that were given."""
    return {name: value for name, value in vars(asked).items()
            if name in _OPTIONS}


def connect(options: argparse.Namespace) -> Client:
    """Raises InvalidConfiguration where they do not fit."""
    # Its libraries are for those who ask something.
    from moc_meter import client
    said = given(options)
    _one_asks(said)
    url, username = said.get('url'), said.get('username')
    made = client.connect(
        None if url is None else str(url),
        cloud=None if (name := said.get('os_cloud')) is None else str(name),
        username=None if username is None else str(username),
        password=_password(said) if username is not None else None,
        ca_file=None if (file := said.get('ca_file')) is None else str(file),
        patience=options.patience if 'patience' in said else _PATIENCE)
    if url is not None and parse.urlsplit(str(url)).password:
        print('moc-meter: everybody on this machine can read the password in '
              '--url; say --username and --password-file instead',
              file=sys.stderr)
    return made


def _one_asks(said: dict[str, object]) -> None:
    """Raise InvalidConfiguration where a cloud and a name both ask."""
    place = str(said.get('url', '')).partition('//')[2].partition('/')[0]
    names = {'--username': 'username' in said,
             '--password-file': 'password_file' in said,
             '--url with a name before its "@"': '@' in place}
    others = tuple(option for option, is_given in names.items() if is_given)
    if 'os_cloud' in said and others:
        raise errors.InvalidConfiguration(
            'only one of these may say who asks',
            options=('--os-cloud', *others))


def _password(said: dict[str, object]) -> str:
    if (named := said.get('password_file')) is not None:
        try:
            return Path(str(named)).read_text('utf-8').split('\n')[0]
        except (OSError, UnicodeDecodeError) as fault:
            raise errors.InvalidConfiguration(
                'the password cannot be read; name another file',
                option='--password-file', value=str(named),
                reason=getattr(fault, 'strerror', None) or str(fault)
                ) from None
    if (word := os.environ.get('OS_PASSWORD')) is not None:
        return word
    if sys.stdin.isatty():
        return getpass.getpass()
    raise errors.InvalidConfiguration(
        'there is no password; give --password-file or $OS_PASSWORD',
        option='--username', value=said['username'])
