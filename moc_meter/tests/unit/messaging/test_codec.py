# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import datetime
import json
import types
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
)
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors, signing
from moc_meter.messaging import codec
from moc_meter.model.sample import MeterKind, Refused, Sample

NOON = datetime.datetime(2026, 3, 1, 12, 30, 0, 123456, datetime.UTC)
ONE = Sample(source='region-1', message_id='1', timestamp=NOON,
             meter='vcpus', kind=MeterKind.GAUGE, unit='vcpu',
             volume=Decimal('0.1'), resource_id='i-1')
TWO = dataclasses.replace(ONE, message_id='2', volume=Decimal(2**53 + 1))
BAD = Refused(content=b'\xff\0{', code='moc_meter.sample.invalid',
              reason='no volume', origin='agent notification')

_KEY = Ed25519PrivateKey.generate()
SIGNER = signing.Signer('agent-1', _KEY)
VERIFIER = signing.Verifier({'agent-1': _KEY.public_key()})

_texts = st.text(st.characters(codec='utf-8'), max_size=20)
_instants = st.datetimes(timezones=st.just(datetime.UTC))
_volumes = st.decimals(min_value=-10**25, max_value=10**25, places=12)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(_texts, inner, max_size=3), max_leaves=8)
_samples = st.builds(
    Sample, source=_texts, message_id=_texts, timestamp=_instants,
    meter=_texts, kind=st.sampled_from(MeterKind), unit=_texts,
    volume=_volumes, resource_id=_texts, project_id=st.none() | _texts,
    user_id=st.none() | _texts,
    metadata=st.dictionaries(_texts, _json, max_size=4),
    interval=st.none() | st.tuples(_instants, _instants),
    counter_start=st.none() | _instants,
    sequence=st.none() | st.integers(0, 2**63), rounded=st.booleans())
_refusals = st.builds(
    Refused, content=st.binary(), code=_texts, reason=_texts, origin=_texts
).filter(lambda one: '\0' not in one.code + one.reason + one.origin)


def lines(message: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in message.split(b'\n')]


def message(*raw: bytes, samples: int | None = None, refused: int = 0
            ) -> bytes:
    """An unsigned message of these lines."""
    count = len(raw) - refused if samples is None else samples
    header = {'v': 1, 'samples': count, 'refused': refused}
    return b'\n'.join([json.dumps(header).encode(), *raw])


def line(**changes: object) -> bytes:
    """The line of a sample with other fields."""
    said = lines(codec.encode([ONE]))[1] | changes
    return json.dumps(said).encode()


@given(st.lists(_samples, max_size=4), st.lists(_refusals, max_size=3))
def test_what_was_encoded_is_what_is_decoded(
        samples: list[Sample], refused: list[Refused]) -> None:
    assert codec.decode(codec.encode(samples, refused)) == codec.Batch(
        samples=samples, refused=refused)


@given(st.lists(_samples, max_size=3), st.lists(_refusals, max_size=2),
       st.data())
def test_mutated_bytes_are_refused_or_read_and_raise_nothing_else(
        samples: list[Sample], refused: list[Refused], data: st.DataObject
        ) -> None:
    wire = bytearray(codec.encode(samples, refused, SIGNER))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(wire)))
        end = data.draw(st.integers(start, min(start + 4, len(wire))))
        wire[start:end] = data.draw(
            st.binary(max_size=4) | st.sampled_from(
                [b'\n', b'{', b'1e999', b'NaN', b'"', b'\0', b'null', b',']))
    try:
        batch = codec.decode(bytes(wire))
    except errors.InvalidMessage:
        return
    assert all(isinstance(sample, Sample) for sample in batch.samples)


@given(st.lists(_samples, max_size=3), st.data())
def test_mutated_bytes_of_a_signed_message_bring_nothing_new(
        samples: list[Sample], data: st.DataObject) -> None:
    wire = codec.encode(samples, signer=SIGNER)
    place = data.draw(st.integers(0, len(wire) - 1))
    mutated = (wire[:place] + data.draw(st.binary(max_size=3))
               + wire[place + 1:])
    try:
        batch = codec.decode(mutated, VERIFIER)
    except (errors.InvalidMessage, errors.InvalidSignature):
        return
    assert batch == codec.Batch(samples=samples, refused=[])


@given(st.binary(max_size=200))
def test_noise_is_no_message(noise: bytes) -> None:
    with pytest.raises(errors.InvalidMessage):
        codec.decode(noise)


def test_volumes_are_text_and_instants_are_whole_microseconds() -> None:
    _, said, other = lines(codec.encode([ONE, TWO]))
    assert (said['volume'], other['volume']) == ('0.1', '9007199254740993')
    assert said['timestamp'] == 1772368200123456


def test_a_message_without_anything_is_one() -> None:
    assert codec.decode(codec.encode([], signer=SIGNER), VERIFIER) == (
        codec.Batch(samples=[], refused=[]))


def test_mappings_that_are_no_dicts_are_metadata_too() -> None:
    frozen = types.MappingProxyType(
        {'flavor': types.MappingProxyType({'vcpus': 2})})
    [sample] = codec.decode(codec.encode(
        [dataclasses.replace(ONE, metadata=frozen)])).samples
    assert sample.metadata == {'flavor': {'vcpus': 2}}


def test_what_was_refused_keeps_the_source_that_it_has() -> None:
    other = dataclasses.replace(BAD, source='region-7')
    assert codec.decode(codec.encode([], [BAD, other])).refused == [
        BAD, other]


# Signatures

def test_a_signed_message_is_verified() -> None:
    wire = codec.encode([ONE, TWO], [BAD], SIGNER)
    assert codec.decode(wire, VERIFIER).samples == [ONE, TWO]


def test_an_unsigned_message_is_refused_where_signatures_count() -> None:
    with pytest.raises(errors.InvalidSignature, match='not signed'):
        codec.decode(codec.encode([ONE]), VERIFIER)


def test_an_unknown_key_is_refused() -> None:
    stranger = signing.Signer('agent-2', _KEY)
    with pytest.raises(errors.InvalidSignature, match='not known'):
        codec.decode(codec.encode([ONE], signer=stranger), VERIFIER)


def test_a_changed_volume_is_refused() -> None:
    wire = codec.encode([ONE], signer=SIGNER).replace(b'"0.1"', b'"0.2"')
    with pytest.raises(errors.InvalidSignature, match='wrong'):
        codec.decode(wire, VERIFIER)


def test_counts_are_signed_too() -> None:
    wire = codec.encode([ONE], [BAD], SIGNER).replace(
        b'"samples":1,"refused":1', b'"samples":2,"refused":0')
    with pytest.raises(errors.InvalidSignature, match='wrong'):
        codec.decode(wire, VERIFIER)


def test_a_signature_that_is_no_base64_is_refused() -> None:
    wire = codec.encode([ONE], signer=SIGNER).replace(
        b'"signature":"', b'"signature":"*')
    with pytest.raises(errors.InvalidSignature, match='base64'):
        codec.decode(wire, VERIFIER)


def test_a_key_without_a_signature_is_no_header() -> None:
    wire = codec.encode([ONE]).replace(b'"v":1', b'"v":1,"key":"agent-1"')
    with pytest.raises(errors.InvalidMessage, match='signature'):
        codec.decode(wire)


# Messages that nobody can read

@pytest.mark.parametrize(('wire', 'complaint'), [
    (b'', 'not JSON'),
    (b'\xff{}', 'utf-8'),
    (b'\0', 'not JSON'),
    (b'[' * 20_000, 'no header'),
    (b'[' * 2_000, 'cannot be read'),
    (b'[]', 'not a JSON object'),
    (b'{}', 'missing'),
    (b'{"v":2,"more":1}', 'unknown version'),
    (b'{"v":true,"samples":0,"refused":0}', 'wrong type'),
    (b'{"v":1,"samples":"0","refused":0}', 'wrong type'),
    (b'{"v":1,"samples":NaN,"refused":0}', 'NaN'),
    (b'{"v":1,"v":1,"samples":0,"refused":0}', 'twice'),
    (b'{"v":1,"samples":0,"refused":0,"x":0}', "'x'"),
    (b'{"v":1,"samples":-1,"refused":1}', 'counts'),
    (b'{"v":1,"samples":100001,"refused":0}', 'counts'),
    (message(line(), samples=2), 'not complete'),
    (message(line(), line(), samples=1), 'not complete'),
    (message(samples=1), 'not complete'),
])
def test_an_unreadable_message_says_why(wire: bytes, complaint: str) -> None:
    with pytest.raises(errors.InvalidMessage, match=complaint):
        codec.decode(wire)


def test_a_message_that_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(errors.InvalidMessage, match='too large'):
        codec.decode(bytes(codec.MAX_MESSAGE + 1))


# Samples that nobody can read

@pytest.mark.parametrize(('bad', 'complaint'), [
    (b'', 'not JSON'),
    (b'\xff', 'utf-8'),
    (b'null', 'not a JSON object'),
    (b'[' * 20_000 + b']' * 20_000, 'recursion'),
    (line(metadata={}).replace(b'{}', b'{"a":' * 20_000 + b'1'
                               + b'}' * 20_000), 'recursion'),
    (line(metadata={}).replace(b'{}', b'{"a":NaN}'), 'NaN'),
    (line(metadata={}).replace(b'{}', b'{"a":-Infinity}'), 'Infinity'),
    (line(metadata={}).replace(b'{}', b'{"a":1e400}'), 'out of bounds'),
    (line(metadata={}).replace(b'{}', b'{"a":1,"a":1}'), 'twice'),
    (line(metadata={}).replace(b'{}', b'{"a":' + b'9' * 5000 + b'}'),
     'digits'),
    (line(unit='x').replace(b'"x"', b'"\0"'), 'control character'),
    (line(volume=1), "'volume'"),
    (line(volume='NaN'), 'plain decimal'),
    (line(volume='Infinity'), 'plain decimal'),
    (line(volume='1e400'), 'plain decimal'),
    (line(volume='1\n'), 'plain decimal'),
    (line(volume='٣'), 'plain decimal'),
    (line(volume='9' * 129), 'plain decimal'),
    (line(timestamp='2026-03-01'), "'timestamp'"),
    (line(timestamp=True), "'timestamp'"),
    (line(timestamp=10**30), 'out of bounds'),
    (line(interval=[1]), 'two instants'),
    (line(interval=[1, 2.5]), 'two instants'),
    (line(project_id=None), "'project_id'"),
    (line(kind='level'), 'no such kind'),
    (line(metadata=[]), "'metadata'"),
    (line(colour='red'), "'colour'"),
    (line().replace(b'"meter"', b'"metre"'), 'missing'),
])
def test_a_bad_sample_is_set_aside_and_the_others_are_read(
        bad: bytes, complaint: str) -> None:
    batch = codec.decode(message(line(), bad, line(message_id='3')))
    assert [sample.message_id for sample in batch.samples] == ['1', '3']
    [refused] = batch.refused
    assert refused.content == bad
    assert complaint in refused.reason
    assert refused.code == 'moc_meter.sample.invalid'


@pytest.mark.parametrize('bad', [
    b'{}', b'{"content":"*","code":"","reason":"","origin":""}'])
def test_what_was_refused_and_cannot_be_read_is_kept_as_it_is(
        bad: bytes) -> None:
    batch = codec.decode(message(line(), bad, refused=1))
    assert batch.samples == [ONE]
    assert [one.content for one in batch.refused] == [bad]


def test_reasons_are_such_as_every_store_takes() -> None:
    said = {'content': '', 'code': 'c' * 99, 'reason': 'nul \0 \ud800',
            'origin': 'o' * 999}
    [refused] = codec.decode(message(json.dumps(said).encode(),
                                     refused=1)).refused
    assert refused.reason == 'nul \\0 \\ud800'
    assert (len(refused.code), len(refused.origin)) == (64, 255)


# Samples that nobody can write

def _endless() -> dict[str, object]:
    ring: dict[str, object] = {}
    ring['ring'] = ring
    return ring


def _deep() -> dict[str, object]:
    deep: dict[str, object] = {}
    for _ in range(20_000):
        deep = {'a': deep}
    return deep


class Unspoken:
    def __repr__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize('make', [
    lambda: dataclasses.replace(ONE, metadata={'a': float('nan')}),
    lambda: dataclasses.replace(ONE, metadata={'a': Decimal(1)}),
    lambda: dataclasses.replace(ONE, metadata={'a': '\ud800'}),
    lambda: dataclasses.replace(ONE, metadata=_endless()),
    lambda: dataclasses.replace(ONE, metadata=_deep()),
    lambda: dataclasses.replace(ONE, resource_id='\udcff'),
    lambda: dataclasses.replace(ONE, volume=Decimal('1e999999999')),
    lambda: dataclasses.replace(ONE, volume=Decimal('1e-999999999')),
    lambda: dataclasses.replace(ONE, volume=Decimal('1.' + '1' * 200)),
    lambda: dataclasses.replace(ONE, sequence=10 ** 5000),
    lambda: dataclasses.replace(ONE, metadata={'a': Unspoken()}),
])
def test_a_sample_that_cannot_be_written_travels_as_refused(
        make: Callable[[], Sample]) -> None:
    batch = codec.decode(codec.encode([make(), TWO], [BAD]))
    assert batch.samples == [TWO]
    known, refused = batch.refused
    assert known == BAD
    assert refused.code == 'moc_meter.sample.invalid'
    assert refused.content.startswith(b"Sample(source='region-1'")
