# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the orchestration service (Heat).

Of the payload this module reads:

``stack_identity``         the stack
``tenant_id``              the project that owns it
``stack_name``             its name
``state``                  what it has come to
``state_reason``           why

and of the context, since the payload has no id of a user:

``trustor_user_id``        who trusted Heat to ask
``user_id``                else who asked
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

_DEEDS = ('create', 'update', 'delete', 'resume', 'suspend')
_DESCRIPTION = ('stack_name', 'state', 'state_reason')


class StackMeters:
    """One count for each thing done to a stack, when it is done."""

    event_types = tuple(f'orchestration.stack.{deed}.end' for deed in _DEEDS)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        stack, asker = notification.payload, notification.context
        subject = message.Subject.of(
            notification, stack.get('stack_identity'),
            project_id=stack.get('tenant_id'),
            user_id=asker.get('trustor_user_id') or asker.get('user_id'),
            metadata=message.described(notification, stack, _DESCRIPTION))
        if subject is not None:
            deed = notification.event_type.split('.')[2]
            yield from subject.sample(f'stack.{deed}', 'stack', 1,
                                      MeterKind.DELTA)
