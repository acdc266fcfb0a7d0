# SPDX-License-Identifier: Apache-2.0
"""Samples that come in by POST: checked, completed, handed on."""

from __future__ import annotations

import collections
import dataclasses
import datetime
from collections.abc import Callable, Sequence

from moc_meter import errors, signing
from moc_meter.api.context import Caller
from moc_meter.api.v2 import refusals, types
from moc_meter.messaging.base import Sender
from moc_meter.model import metadata
from moc_meter.model.admission import Admission
from moc_meter.model.sample import MeterKind, Sample, content_id
from moc_meter.publisher import messages
from moc_meter.storage.samples.base import SampleStore

#: What a sample is called until everything it says is known to be sound.
_DRAFT = 'draft'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What becomes of posted samples.

    clock: the instant now, in UTC.
    sample_source: the source of samples that name none.
    signer: signs what goes to the bus; None where signing is off.
    """

    store: SampleStore
    sender: Sender
    admission: Admission
    clock: Callable[[], datetime.datetime]
    sample_source: str
    signer: signing.Signer | None

    def take(self, meter: str, posted: Sequence[types.OldSample] | None,
             caller: Caller, direct: bool) -> Sequence[types.OldSample]:
        """Take all the samples, or none; returns them as they were taken.

        direct: whether they are in the store on return, instead of on the
            bus.
        Raises InvalidQuery or InvalidSample for the first bad one;
        SampleTooOld or SampleConflict where the store does not keep one;
        StoreUnavailable or BusUnavailable where they could not be handed on:
        a repeated request then doubles nothing.
        """
        if not posted:
            raise errors.InvalidQuery(
                'Samples should be included in request body')
        caller.check_posts(direct)
        now = self.clock()
        for one in posted:
            self._complete(one, meter, caller, now)
        samples = self._admitted(posted, now)
        if direct:
            self.store.write_whole(samples, now)
        else:
            for message in messages.encoded(samples, (), self.signer):
                self.sender.send(message)
        return posted

    def _complete(self, one: types.OldSample, meter: str, caller: Caller,
                  now: datetime.datetime) -> None:
        """Check what the form cannot say, and fill in what was left out."""
        if one.counter_name != meter:
            raise refusals.invalid('counter_name', one.counter_name,
                                   f'should be {meter}')
        if one.counter_type not in types.KINDS:
            raise refusals.invalid(
                'counter_type', one.counter_type,
                f'The counter type must be: {", ".join(types.KINDS)}')
        if one.message_id:
            raise refusals.invalid('message_id', one.message_id,
                                   'The message_id must not be set')
        for name, value in (('counter_volume', one.counter_volume),
                            ('counter_unit', one.counter_unit),
                            ('resource_id', one.resource_id or None)):
            if value is None:
                raise refusals.missing(name)
        one.user_id = one.user_id or caller.user_id
        one.project_id = one.project_id or caller.project_id
        if not caller.may_post_to(one.project_id):
            raise refusals.invalid('project_id', one.project_id,
                                   'can not post samples to other projects')
        source = one.source or self.sample_source
        one.source = (f'{one.project_id}:{source}' if one.project_id
                      else source)
        one.timestamp = one.timestamp or now
        one.resource_metadata = one.resource_metadata or {}

    def _admitted(self, posted: Sequence[types.OldSample],
                  now: datetime.datetime) -> list[Sample]:
        """The samples, each with an id that says all that it says.

        Equal ones are told apart by their place among themselves, so that a
        repeated request makes the same ids.
        """
        places: collections.Counter[str] = collections.Counter()
        samples = []
        for one in posted:
            draft = _sample(one)
            admitted = self.admission.admit(draft, now)
            first = content_id(draft)
            one.message_id = content_id(draft, places[first])
            places[first] += 1
            samples.append(dataclasses.replace(admitted,
                                               message_id=one.message_id))
        return samples


def _sample(one: types.OldSample) -> Sample:
    return Sample(
        source=one.source, message_id=_DRAFT, timestamp=one.timestamp,
        meter=one.counter_name, kind=MeterKind(one.counter_type),
        unit=one.counter_unit, volume=one.counter_volume,
        resource_id=one.resource_id, project_id=one.project_id,
        user_id=one.user_id, metadata=metadata.nested(one.resource_metadata))
