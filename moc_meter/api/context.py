# SPDX-License-Identifier: Apache-2.0
"""Who asks, and what they may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from moc_meter import errors

#: What each word about a caller is called in the environment of a request.
#: Whatever identifies callers takes away those that a client sent itself.
_HEADERS = {
    'user_id': 'HTTP_X_USER_ID',
    'project_id': 'HTTP_X_PROJECT_ID',
    'domain_id': 'HTTP_X_DOMAIN_ID',
    'system_scope': 'HTTP_OPENSTACK_SYSTEM_SCOPE'}
_ROLES = 'HTTP_X_ROLES'


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is known of a caller; at most one of the three scopes is set.

    system_scope: 'all' where the token is one for the whole deployment.
    roles: in lower case.
    """

    user_id: str | None = None
    project_id: str | None = None
    domain_id: str | None = None
    system_scope: str | None = None
    roles: frozenset[str] = frozenset()


def read(environ: Mapping[str, Any]) -> Credentials:
    """The caller of a request, as whoever identified it has written it."""
    return Credentials(
        roles=frozenset(role.strip().lower() for role
                        in environ.get(_ROLES, '').split(',')) - {''},
        **{name: environ.get(header) or None
           for name, header in _HEADERS.items()})


def write(environ: MutableMapping[str, Any], caller: Credentials) -> None:
    """Write the caller into a request, over what a client had written."""
    for name, header in _HEADERS.items():
        environ[header] = getattr(caller, name) or ''
    environ[_ROLES] = ','.join(sorted(caller.roles))


def implied(roles: Iterable[str]) -> frozenset[str]:
    """The roles, and those that Keystone would say they imply."""
    implies = ('admin', 'manager', 'member', 'reader')
    found = {role.lower() for role in roles}
    highest = min((place for place, role in enumerate(implies)
                   if role in found), default=len(implies))
    return frozenset(found.union(implies[highest:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who made a request, and what the policy lets them do.

    sees_all: whether the rows of all projects are visible.
    domain_projects: the projects of the domain that the caller manages;
        None where the token is for no domain.
    admin: whether the caller is an administrator; known where events, or
        what needs no rule, are asked for.
    posts_for_others: whether samples of any project may be posted, and of
        any source, as an agent does.
    posts_directly: whether samples may be put into the store at once; this
        and posts_for_others are known where samples are posted.
    service_url: where the caller reached this service: scheme, host and
        prefix; links are built from it.
    """

    project_id: str | None
    user_id: str | None
    sees_all: bool
    domain_projects: frozenset[str] | None = None
    admin: bool = False
    posts_for_others: bool = False
    posts_directly: bool = False
    service_url: str

    def visible_projects(self) -> frozenset[str] | None:
        """The projects whose rows the caller may see; None is all of them.

        Raises Forbidden where a limited caller has no project.
        """
        if self.sees_all:
            return None
        if self.domain_projects is not None:
            return self.domain_projects
        if self.project_id is None:
            raise errors.Forbidden('a project is needed to see anything')
        return frozenset((self.project_id,))

    def check_posts(self, direct: bool = False) -> None:
        """Raise Forbidden where the caller cannot post at all, or not so."""
        if not self.posts_for_others and self.project_id is None:
            raise errors.Forbidden('a project is needed to post samples')
        if direct and not self.posts_directly:
            raise errors.Forbidden(
                'Policy does not let this caller post with direct=True')

    def may_post_to(self, project_id: str | None) -> bool:
        """Whether samples of the project are taken from the caller."""
        return self.posts_for_others or project_id == self.project_id

    def check_named(self, project_id: str | None) -> None:
        """Raise NotAuthorized where a rule names a project not visible."""
        visible = self.visible_projects()
        if visible is not None and project_id not in visible:
            raise errors.NotAuthorized(
                f'Not Authorized to access project {project_id}')
