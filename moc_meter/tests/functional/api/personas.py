# SPDX-License-Identifier: Apache-2.0
"""Who there is, and what each may see and do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter.api import context
from moc_meter.api.context import Credentials, implied
from moc_meter.api.faults import Answer
from moc_meter.api.identity import Door

ALL = frozenset(('p1', 'p2', 'p3'))
DOMAIN, OWN = frozenset(('p1', 'p2')), frozenset(('p1',))
MINE = frozenset(('own',))
#: What a client may pretend.
FORGED = {'X-Roles': 'admin', 'X-Project-Id': 'p3', 'X-User-Id': 'root',
          'X-Domain-Id': 'd', 'OpenStack-System-Scope': 'all',
          'X-Identity-Status': 'Confirmed', 'X-Is-Admin-Project': 'True',
          'X-Service-Roles': 'service', 'X-Service-Identity-Status':
          'Confirmed', 'X-Role': 'admin', 'X-Tenant-Id': 'p3'}


@dataclass(frozen=True, kw_only=True)
class Persona:
    """Somebody, and the outcome of what they ask: projects, or a status.

    events: of nobody's project, too, for an administrator.
    types: of events.
    """

    role: str | None            # None: who has no token
    scope: str = 'project'
    reads: frozenset[str] | int
    posts: frozenset[str] | int
    events: frozenset[str] | int = 403
    types: int = 401
    forges: bool = False


PERSONAS: Mapping[str, Persona] = {
    'admin': Persona(role='admin', reads=ALL, posts=ALL, types=200,
                     events=frozenset(('other', 'own', 'nobody'))),
    'system-admin': Persona(role='admin', scope='system', reads=ALL,
                            posts=ALL, types=200),
    'system-reader': Persona(role='reader', scope='system', reads=ALL,
                             posts=403),
    'domain-manager': Persona(role='manager', scope='domain', reads=DOMAIN,
                              posts=403),
    'domain-reader': Persona(role='reader', scope='domain', reads=403,
                             posts=403),
    'project-manager': Persona(role='manager', reads=OWN, posts=OWN,
                               events=MINE),
    'project-member': Persona(role='member', reads=OWN, posts=OWN,
                              events=MINE),
    'project-reader': Persona(role='reader', reads=OWN, posts=403,
                              events=MINE),
    'service': Persona(role='service', reads=403, posts=ALL),
    'anonymous': Persona(role=None, reads=401, posts=401, events=401),
    'forged': Persona(role=None, reads=401, posts=401, events=401,
                      forges=True),
    'forged-reader': Persona(role='reader', reads=OWN, posts=403,
                             events=MINE, forges=True),
    'forged-service': Persona(role='service', reads=403, posts=ALL,
                              forges=True),
}


class TokenTable(Door):
    """Knows tokens as Keystone does: the names of the personas."""

    def refusal(self, environ: dict[str, Any]) -> Answer | None:
        persona = PERSONAS.get(environ.get('HTTP_X_AUTH_TOKEN', ''))
        if persona is None or persona.role is None:
            return Answer(status=401, text='no token')
        scope = {'project': {'project_id': 'p1'},
                 'domain': {'domain_id': 'd'},
                 'system': {'system_scope': 'all'}}[persona.scope]
        context.write(environ, Credentials(
            user_id=environ['HTTP_X_AUTH_TOKEN'],
            roles=implied((persona.role,)), **scope))
        return None


def domains(domain_id: str, _: Mapping[str, Any]) -> frozenset[str]:
    """Domain d of the table, of which p3 is not."""
    return {'d': DOMAIN}[domain_id]
