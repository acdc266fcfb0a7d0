# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the identity service (Keystone).

Of the payload, which in the basic form has ``resource_info`` only and else is
a CADF event, this module reads:

``initiator.id``    who asked; who authenticates
``outcome``         of an authentication: success, failure or pending
``resource_info``   id of what was created, updated or deleted
``role``            id of the role that was given or taken away
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

_OUTCOMES = ('success', 'failure', 'pending')
_DEEDS = {'user': ('created', 'updated', 'deleted'),
          'group': ('created', 'updated', 'deleted'),
          'project': ('created', 'updated', 'deleted'),
          'role': ('created', 'updated', 'deleted'),
          'trust': ('created', 'deleted'),
          'role_assignment': ('created', 'deleted')}
# Who did what to whom, and the two ends of a role's assignment.
_TRAITS = ('action', 'outcome', 'reason', 'initiator', 'target', 'user',
           'group', 'project', 'domain', 'inherited_to_projects')


class AuthenticationMeter:
    """One count for each attempt to authenticate, by its outcome."""

    event_types = ('identity.authenticate',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        event = notification.payload
        user_id = message.part(event, 'initiator').get('id')
        subject = message.Subject.of(
            notification, user_id, user_id=user_id,
            metadata=message.described(notification, event, _TRAITS))
        if subject is not None and event.get('outcome') in _OUTCOMES:
            yield from subject.sample(
                f'identity.authenticate.{event["outcome"]}', 'user', 1,
                MeterKind.DELTA)


class DirectoryMeters:
    """One count for each change of who is there and who may do what."""

    event_types = tuple(f'identity.{kind}.{deed}'
                        for kind, deeds in _DEEDS.items() for deed in deeds)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        event = notification.payload
        _, kind, _ = notification.event_type.split('.')
        named = 'role' if kind == 'role_assignment' else 'resource_info'
        subject = message.Subject.of(
            notification, event.get(named),
            user_id=message.said(event, 'initiator', 'id'),
            metadata=message.described(notification, event, _TRAITS))
        if subject is not None:
            yield from subject.sample(notification.event_type, kind, 1,
                                      MeterKind.DELTA)
