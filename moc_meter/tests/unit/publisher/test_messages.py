# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher import messages
from moc_meter.tests.contract.publishers import sample


def large(number: int, size: int) -> Sample:
    return dataclasses.replace(sample(number), metadata={'text': 'x' * size})


@given(st.integers(0, 350), st.integers(0, 120))
def test_everything_is_in_some_message_in_its_order(good: int, bad: int
                                                    ) -> None:
    refused = [Refused(content=b'%d' % n, code='c', reason='r', origin='o')
               for n in range(bad)]
    batches = [codec.decode(message) for message in messages.encoded(
        [sample(n) for n in range(good)], refused, None)]
    assert [one for batch in batches for one in batch.samples] == [
        sample(n) for n in range(good)]
    assert [one for batch in batches for one in batch.refused] == refused
    assert all(len(batch.samples) + len(batch.refused) <= messages.BATCH
               for batch in batches)


def test_large_samples_are_spread_over_more_messages() -> None:
    samples = [large(n, messages.MAX_MESSAGE // 3) for n in range(10)]
    made = messages.encoded(samples, [], None)
    assert max(map(len, made)) <= messages.MAX_MESSAGE
    assert [one for message in made
            for one in codec.decode(message).samples] == samples


def test_a_sample_larger_than_any_message_travels_as_refused() -> None:
    made = messages.encoded(
        [sample(1), large(2, messages.MAX_MESSAGE), sample(3)], [], None)
    batches = [codec.decode(message) for message in made]
    [refused] = [one for batch in batches for one in batch.refused]
    assert [one for batch in batches for one in batch.samples] == [
        sample(1), sample(3)]
    assert refused.code == errors.InvalidSample.code
    assert b'"message_id":"m-2"' in refused.content


def test_of_something_refused_that_is_too_large_the_beginning_is_kept(
        ) -> None:
    content = bytes(range(256)) * (messages.MAX_MESSAGE // 256)
    [message] = messages.encoded([], [Refused(
        content=content, code='c', reason='r', origin='o')], None)
    [refused] = codec.decode(message).refused
    assert len(message) <= messages.MAX_MESSAGE
    assert refused.content
    assert content.startswith(refused.content)
