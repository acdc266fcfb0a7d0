# SPDX-License-Identifier: Apache-2.0
"""A Keystone of the tests' own (from PyPI: test-requirements.txt)."""

from __future__ import annotations

import base64
import importlib.util
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter.tests.servers import base

# Keystone itself does not choose between threads and eventlet.
_THREADS = ('import oslo_service.backend as backend\n'
            'backend.init_backend(backend.BackendType.THREADING)\n')
_MANAGE = _THREADS + ('import sys\n'
                      'from keystone.cmd import manage\n'
                      'sys.argv[0] = "keystone-manage"\n'
                      'manage.main()\n')
_SERVE = _THREADS + ('import sys, waitress\n'
                     'from keystone.server import wsgi\n'
                     'port = int(sys.argv.pop())\n'
                     'waitress.serve(wsgi.initialize_public_application(),\n'
                     '               host="127.0.0.1", port=port)\n')
_TIMEOUT = 30.0


class KeystoneRefused(Exception):
    """Keystone did not do what a test had it do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Keystone said: the token that it made, if any, and the rest."""

    token: str
    body: dict[str, Any]


class Keystone(base.Server):
    """One Keystone on SQLite, with what its own bootstrap makes.

    It runs as ourselves, since it is a library of ours, which another user
    may not be able to read.
    """

    def __init__(self, token_seconds: int = 3600) -> None:
        """token_seconds: how long its tokens are good."""
        super().__init__()
        self.port = base.free_port()
        self.password = secrets.token_hex(16)
        self._token_seconds = token_seconds
        self._admin, self._renewed = '', 0.0

    @property
    def user(self) -> str | None:
        return None

    @property
    def url(self) -> str:
        """Its public endpoint, and every other one."""
        return f'http://127.0.0.1:{self.port}/v3'

    def admin(self, verb: str, path: str, body: object = None,
              **headers: str) -> dict[str, Any]:
        """Have it do something, as the administrator of bootstrap."""
        now = time.monotonic()
        if not self._admin or now - self._renewed > self._token_seconds / 2:
            self._admin, self._renewed = self.admin_token(), now
        return self.call(verb, path, body, self._admin, **headers).body

    def admin_token(self) -> str:
        """A token of the administrator's, for its project."""
        return self.token('admin', self.password, {'project': {
            'name': 'admin', 'domain': {'id': 'default'}}})

    def token(self, user: str, password: str, scope: object,
              domain_id: str = 'default') -> str:
        """A token for a user's password, in a scope."""
        return self.authenticate({
            'identity': {'methods': ['password'], 'password': {'user': {
                'name': user, 'domain': {'id': domain_id},
                'password': password}}},
            'scope': scope})

    def authenticate(self, asked: Mapping[str, object]) -> str:
        """A token for any proof."""
        return self.call('POST', '/auth/tokens', {'auth': asked}).token

    def call(self, verb: str, path: str, body: object = None,
             token: str = '', **headers: str) -> Answer:
        """Ask it something; KeystoneRefused where it does not want to."""
        request = urllib.request.Request(
            self.url + path, method=verb,
            data=json.dumps(body).encode() if body is not None else None,
            headers={'Content-Type': 'application/json',
                     'X-Auth-Token': token, **headers})
        try:
            with urllib.request.urlopen(
                    request, timeout=_TIMEOUT) as answer:
                content = answer.read()
                return Answer(
                    token=answer.headers.get('X-Subject-Token', ''),
                    body=json.loads(content) if content else {})
        except urllib.error.HTTPError as fault:
            raise KeystoneRefused(
                f'{verb} {path}: {fault.code} {fault.read()!r}') from fault

    def _check_programs(self) -> None:
        if importlib.util.find_spec('keystone') is None:
            raise base.MissingServer(
                'keystone is not installed, and the tests need it: '
                'pip install -c constraints.txt keystone')

    def _prepare(self) -> None:
        for name in ('fernet', 'credential'):
            (self.folder / name).mkdir(mode=0o700)
            for number in '01':
                self._write(f'{name}/{number}', base64.urlsafe_b64encode(
                    secrets.token_bytes(32)).decode())
        self._write('keystone.conf', '\n'.join((
            '[DEFAULT]', 'use_stderr = true',
            '[database]',
            f'connection = sqlite:///{self.folder}/keystone.sqlite',
            '[fernet_tokens]', f'key_repository = {self.folder}/fernet',
            '[credential]', f'key_repository = {self.folder}/credential',
            '[token]', f'expiration = {self._token_seconds}',
            '[identity]', 'password_hash_rounds = 4',
            '[cache]', 'enabled = false')) + '\n')
        self._manage('db_sync')
        self._manage('bootstrap', '--bootstrap-password', self.password,
                     '--bootstrap-region-id', 'RegionOne', *(
                         part for kind in ('public', 'internal', 'admin')
                         for part in (f'--bootstrap-{kind}-url', self.url)))

    def _launch(self) -> None:
        self._spawn([sys.executable, '-c', _SERVE, str(self.port)],
                    'keystone.log')
        self._wait_until(lambda: base.accepts(self.port))

    def _manage(self, *arguments: str) -> None:
        self._run([sys.executable, '-c', _MANAGE, '--config-file',
                   str(self.folder / 'keystone.conf'), *arguments],
                  'manage.log')

    def _environment(self) -> Mapping[str, str]:
        return {**super()._environment(),
                'OS_KEYSTONE_CONFIG_DIR': str(self.folder)}
