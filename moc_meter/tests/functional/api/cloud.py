# SPDX-License-Identifier: Apache-2.0
"""A cloud in a real Keystone: domains, projects, and people with roles."""

from __future__ import annotations

import functools
from typing import Any

from oslo_config import cfg

from moc_meter import conf
from moc_meter.api import identity, keystone
from moc_meter.tests.servers.keystone import Keystone

_PASSWORD = 'word'


class Cloud:
    """Domain ``institute`` has the projects p1 and p2, ``other`` has p3."""

    def __init__(self, server: Keystone) -> None:
        self.server = server
        self._roles = {role['name']: role['id'] for role
                       in server.admin('GET', '/roles')['roles']}
        self.domains = {name: self._made('domain', name=name)
                        for name in ('institute', 'other')}
        self.projects = {
            name: self.project(name, domain)
            for name, domain in (('p1', 'institute'), ('p2', 'institute'),
                                 ('p3', 'other'), ('service', 'other'))}
        self.user('moc_meter', 'service',
                  f'/projects/{self.projects["service"]}')
        service = self._made('service', type='metering', name='moc_meter')
        self._made('endpoint', service_id=service, interface='public',
                   url='http://127.0.0.1:8777', region_id='RegionOne')

    def project(self, name: str, domain: str) -> str:
        return self._made('project', name=name,
                          domain_id=self.domains[domain])

    def user(self, name: str, role: str, place: str) -> str:
        """Make somebody with a role somewhere; the id."""
        user = self._made('user', name=name, password=_PASSWORD,
                          domain_id=self.domains['institute'])
        self.server.admin(
            'PUT', f'{place}/users/{user}/roles/{self._roles[role]}')
        return user

    def token(self, name: str, scope: object) -> str:
        """scope: as Keystone has it; 'unscoped' is one, too."""
        return self.server.token(name, _PASSWORD, scope,
                                 self.domains['institute'])

    def in_project(self, name: str, project: str) -> str:
        """A token of somebody for a project."""
        return self.token(name, {'project': {'id': self.projects[project]}})

    def settings(self, **changes: object) -> cfg.ConfigOpts:
        """How the service reaches it."""
        return settings(self.server, **{
            'username': 'moc_meter', 'password': _PASSWORD,
            'project_id': self.projects['service'],
            'user_domain_id': self.domains['institute'], **changes})

    def door(self, **changes: object) -> identity.Identity:
        return functools.partial(keystone.Keystone,
                                 conf=self.settings(**changes))

    def _made(self, kind: str, **fields: object) -> str:
        found: Any = self.server.admin('POST', f'/{kind}s', {kind: fields})
        made: str = found[kind]['id']
        return made


def settings(server: Keystone, **changes: object) -> cfg.ConfigOpts:
    """The options of a service, for which every token is checked anew."""
    defaults = conf.load('moc-meter-api', [], files=[]).keystone_authtoken
    return keystone.settings(dict(defaults) | {
        'auth_url': server.url, 'token_cache_time': -1} | changes)
