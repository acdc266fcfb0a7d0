# SPDX-License-Identifier: Apache-2.0
"""Finding out who asks: nobody is asked, or a file, or (keystone.py) Keystone.

Each of the three is a WSGI application around another one. It takes away
what a client says of itself, and writes down what it found in its place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import secrets
import urllib.parse
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import bcrypt
import webob

from moc_meter import errors
from moc_meter.api import context, faults, negotiation
from moc_meter.api.context import Credentials

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
#: Puts an application behind a door.
Identity = Callable[[Application], Application]

#: What is shown to those who did not say who they are.
_PUBLIC = ('', '/', '/openapi.json')
NEEDED = 'The request you have made requires authentication.'
#: A line of the file: name, bcrypt, project, roles.
_PARTS = 4


def noauth(application: Application,
           hosts: Collection[str] | None = None) -> Application:
    """Believes what a client says of itself.

    Who names neither project nor roles is an administrator; a project
    without roles is a member's.
    hosts: what this service is called, besides the names of loopback; else
        any page in a browser of this machine could let a name of its own
        lead here, and read. None: by any name.
    """
    def identified(environ: dict[str, Any], start: Callable[..., Any]
                   ) -> Iterable[bytes]:
        called = environ.get('HTTP_HOST', '')
        if hosts is not None and not _is_called(called, hosts):
            refused: Iterable[bytes] = faults.response(
                faults.Answer(status=403, text=(
                    f'This service is not called {called!r}; who is not '
                    'asked for a proof reaches it as localhost only')),
                negotiation.prefers_xml(webob.Request(environ))
            )(environ, start)
            return refused
        said = context.read(environ)
        roles = said.roles or {'member' if said.project_id else 'admin'}
        context.write(environ, _as(said, roles))
        return application(environ, start)

    return identified


def _is_called(host: str, names: Collection[str]) -> bool:
    """Whether a Host is one of the names, or of loopback.

    Browsers send one always.
    """
    try:
        name = urllib.parse.urlsplit(f'//{host}').hostname or ''
    except ValueError:
        return False
    if not host or name == 'localhost' or name in names:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _as(said: Credentials, roles: Iterable[str]) -> Credentials:
    return Credentials(
        user_id=said.user_id, project_id=said.project_id,
        domain_id=said.domain_id, system_scope=said.system_scope,
        roles=context.implied(roles))


class Door:
    """What both who ask for a proof have in common."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]
                 ) -> Iterable[bytes]:
        context.write(environ, Credentials())
        if environ.get('PATH_INFO', '') not in _PUBLIC:
            refusal = self.refusal(environ)
            if refusal is not None:
                request = webob.Request(environ)
                answer: Iterable[bytes] = faults.response(
                    refusal, negotiation.prefers_xml(request))(environ, start)
                return answer
        return self._application(environ, start)

    def refusal(self, environ: dict[str, Any]) -> faults.Answer | None:
        """Write down who it is, or say why not."""
        raise NotImplementedError


class Users:
    """Who may come in by name and password."""

    def __init__(self, file: Path) -> None:
        """Read a file whose lines are NAME:BCRYPT:PROJECT:ROLE,ROLE.

        Raises InvalidConfiguration where it is not made of such lines.
        """
        try:
            lines = file.read_text('utf-8').splitlines()
        except (OSError, UnicodeDecodeError) as fault:
            raise errors.InvalidConfiguration(
                'the file of users cannot be read', file=str(file),
                reason=str(fault)) from fault
        self._users: dict[str, tuple[bytes, Credentials]] = {}
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith('#'):
                try:
                    self._add(line.strip())
                except ValueError as fault:
                    raise errors.InvalidConfiguration(
                        'no line NAME:BCRYPT:PROJECT:ROLE,ROLE in the file '
                        'of users', file=str(file), line=number,
                        reason=str(fault)) from fault
        # A right password costs bcrypt once; then its digest is known.
        self._key = secrets.token_bytes(32)
        self._proved: dict[str, bytes] = {}
        self._nobody = bcrypt.hashpw(self._key[:16].hex().encode(),
                                     bcrypt.gensalt())

    def find(self, name: str, password: str) -> Credentials | None:
        """The user, where the password is right."""
        given = password.encode()
        digest = hashlib.blake2b(given, key=self._key).digest()
        kept, found = self._users.get(name, (self._nobody, None))
        proved = self._proved.get(name)
        if proved is not None and secrets.compare_digest(proved, digest):
            return found
        try:
            right = bcrypt.checkpw(given, kept)
        except ValueError:          # longer than bcrypt reads
            right = False
        if not right or found is None:
            return None
        self._proved[name] = digest
        return found

    def _add(self, line: str) -> None:
        parts = line.split(':')
        if len(parts) != _PARTS:
            raise ValueError(f'{len(parts)} parts instead of {_PARTS}')
        name, kept, project, roles = (part.strip() for part in parts)
        named = [role for role in roles.split(',') if role.strip()]
        if not name or name in self._users or not named:
            raise ValueError('no name, a name twice, or no role')
        bcrypt.checkpw(b'', kept.encode())
        self._users[name] = kept.encode(), Credentials(
            user_id=name, project_id=project or None,
            roles=context.implied(role.strip() for role in named))


class Basic(Door):
    """Lets those in who are in a file, by HTTP's basic authentication."""

    def __init__(self, application: Application, users: Users) -> None:
        super().__init__(application)
        self._users = users

    def refusal(self, environ: dict[str, Any]) -> faults.Answer | None:
        found = self._users.find(*_given(
            environ.get('HTTP_AUTHORIZATION', '')))
        if found is None:
            return faults.Answer(
                status=401, text=NEEDED, headers={
                    'WWW-Authenticate': 'Basic realm="moc_meter", '
                                        'charset="UTF-8"'})
        context.write(environ, found)
        return None


def _given(header: str) -> tuple[str, str]:
    """Name and password; empty where there are none."""
    scheme, _, proof = header.partition(' ')
    if scheme.lower() != 'basic':
        return '', ''
    try:
        name, _, password = base64.b64decode(
            proof.strip(), validate=True).decode().partition(':')
    except (binascii.Error, ValueError):
        return '', ''
    return name, password
