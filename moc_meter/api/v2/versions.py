# SPDX-License-Identifier: Apache-2.0
"""The version document, at the root of the service."""

from __future__ import annotations

from wsme import types as wtypes

from moc_meter.api.context import Caller
from moc_meter.api.v2.representation import expose
from moc_meter.api.v2.types import Link

_VENDOR = 'application/vnd.openstack.telemetry-v2'


class MediaType(wtypes.Base):           # type: ignore[misc]
    """A representation of a version of the API."""

    base = wtypes.text
    type = wtypes.text


class Version(wtypes.Base):             # type: ignore[misc]
    """A version of the API."""

    id = wtypes.text
    status = wtypes.text
    updated = wtypes.text
    links = wtypes.ArrayType(Link)
    media_types = wtypes.wsattr([MediaType], name='media-types')


class VersionList(wtypes.Base):         # type: ignore[misc]
    """The versions that are served."""

    values = wtypes.ArrayType(Version)


class VersionDocument(wtypes.Base):     # type: ignore[misc]
    """What stands at the root."""

    versions = VersionList


class Versions:
    """/, for everybody."""

    @expose(VersionDocument, rule=None)
    def index(self, caller: Caller) -> VersionDocument:
        """Exactly one version."""
        return VersionDocument(versions=VersionList(values=[Version(
            id='v2', status='stable', updated='2013-02-13T00:00:00Z',
            links=[Link(rel='self', href=f'{caller.service_url}/v2'),
                   Link(rel='describedby', type='text/html',
                        href='http://docs.openstack.org/')],
            media_types=[MediaType(base=f'application/{form}',
                                   type=f'{_VENDOR}+{form}')
                         for form in ('json', 'xml')])]))
