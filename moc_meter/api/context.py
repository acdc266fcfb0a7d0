# SPDX-License-Identifier: Apache-2.0
"""Who asks, and what they may see.

Behind a token middleware these headers are its word; without one (a laptop, a
test) they are trusted as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moc_meter import errors

_ADMIN = 'admin'


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who made a request.

    limited: whether the caller is confined to its own project.
    service_url: where the caller reached this service: scheme, host and
        prefix; links are built from it.
    """

    project_id: str | None
    user_id: str | None
    limited: bool
    service_url: str

    def visible_projects(self) -> frozenset[str] | None:
        """The projects whose rows the caller may see; None is all of them.

        Raises Forbidden where a limited caller has no project.
        """
        if not self.limited:
            return None
        if self.project_id is None:
            raise errors.Forbidden('a project is needed to see anything')
        return frozenset((self.project_id,))

    def check_named(self, project_id: str | None) -> None:
        """Raise NotAuthorized where a rule names a project not visible."""
        visible = self.visible_projects()
        if visible is not None and project_id not in visible:
            raise errors.NotAuthorized(
                f'Not Authorized to access project {project_id}')


def caller(headers: Mapping[str, str], service_url: str) -> Caller:
    """The caller that the headers of a request name.

    headers: X-Roles (a comma list), X-Project-Id and X-User-Id count; looked
        up without regard to case. A request with neither roles nor a project
        is not limited, nor is one with the role admin.
    """
    project = headers.get('X-Project-Id') or None
    roles = {role.strip().lower()
             for role in headers.get('X-Roles', '').split(',')} - {''}
    return Caller(
        project_id=project, user_id=headers.get('X-User-Id') or None,
        limited=bool(roles or project) and _ADMIN not in roles,
        service_url=service_url)
