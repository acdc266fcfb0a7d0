# SPDX-License-Identifier: Apache-2.0
"""What every sample store promises; see storage/samples/base.py."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.model import quantity
from moc_meter.model.events import EventSelection, TraitRule
from moc_meter.model.expression import Op
from moc_meter.model.query import (
    Field,
    Outcome,
    Selection,
    StatisticsQuestion,
)
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.model.traits import TraitType, trait
from moc_meter.storage.samples.base import SampleStore
from moc_meter.testing.makers import NOON, sample

_LATER = NOON + datetime.timedelta(days=1)
#: Texts that a careless comparison takes for one another.
_ALIKE = ('a', 'A', 'a ', ' a', '\u00e9', 'e\u0301', 'e', 'a%', 'a_', '')


def _event(name: str, timestamp: datetime.datetime, **said: object) -> Sample:
    return Sample(source='s', message_id=name, timestamp=timestamp,
                  meter='happened', kind=MeterKind.EVENT, unit='event',
                  volume=Decimal(1), resource_id='r', is_event=True,
                  metadata=said)


class StoreSuite:
    """Fill in the store."""

    @pytest.fixture
    def store(self) -> SampleStore:
        """A store that holds nothing and has its schema."""
        raise NotImplementedError

    def test_what_comes_again_is_kept_once(self, store: SampleStore) -> None:
        batch = [sample(n) for n in range(20)]
        first = store.write([*batch, batch[3]], _LATER)
        again = store.write(batch[::-1], _LATER)
        assert (first.stored, first.duplicates) == (20, 1)
        assert again.outcomes == (Outcome.DUPLICATE,) * 20

    def test_samples_come_back_as_they_were_newest_first(
            self, store: SampleStore) -> None:
        store.write([sample(n) for n in range(9)], _LATER)
        assert [one.sample for one in store.samples(Selection(), 5)] == [
            sample(n) for n in (8, 7, 6, 5, 4)]

    @pytest.mark.parametrize('change', [
        {'volume': Decimal(9)}, {'metadata': {}}, {'sequence': 1}], ids=str)
    def test_another_sample_of_a_kept_identity_is_set_aside(
            self, store: SampleStore, change: dict[str, Any]) -> None:
        store.write([sample(1)], _LATER)
        written = store.write([sample(1, **change), sample(1)], _LATER)
        assert written.outcomes == (Outcome.CONFLICT, Outcome.DUPLICATE)
        assert [one.sample for one in store.samples(Selection(), 9)] == [
            sample(1)]

    def test_a_batch_that_must_be_whole_is_kept_whole_or_not_at_all(
            self, store: SampleStore) -> None:
        store.write_whole([sample(1), sample(2)], _LATER)
        store.write_whole([sample(2), sample(3)], _LATER)
        with pytest.raises(errors.SampleConflict):
            store.write_whole([sample(4), sample(1, volume=Decimal(9))],
                              _LATER)
        assert [one.sample for one in store.samples(Selection(), 9)] == [
            sample(3), sample(2), sample(1)]

    def test_statistics_are_exact_and_fresh(self, store: SampleStore) -> None:
        volumes = [Decimal('0.1'), Decimal('99999999999999999999.999999999'),
                   Decimal('-0.000000001'), Decimal('0.2')]
        for number, volume in enumerate(volumes):
            store.write([sample(number, volume=volume)], _LATER)
        [row] = store.statistics(StatisticsQuestion(selection=Selection()))
        assert (row.statistics.count, row.statistics.sum,
                row.statistics.min, row.statistics.max) == (
            4, quantity.total(volumes), min(volumes), max(volumes))

    def test_a_range_is_half_open(self, store: SampleStore) -> None:
        store.write([sample(n) for n in range(5)], _LATER)
        within = Selection(start=sample(1).timestamp,
                           end=sample(3).timestamp)
        assert [one.sample for one in store.samples(within, 9)] == [
            sample(2), sample(1)]
        [row] = store.statistics(StatisticsQuestion(selection=within))
        assert row.statistics.sum == 3

    def test_texts_that_look_alike_stay_apart(self, store: SampleStore
                                              ) -> None:
        store.write([sample(0, project_id=text) for text in _ALIKE], _LATER)
        for text in _ALIKE:
            only = Selection(series=((Field.PROJECT, text),))
            assert [one.sample.project_id
                    for one in store.samples(only, 99)] == [text]

    def test_only_what_the_caller_may_see_is_answered(
            self, store: SampleStore) -> None:
        store.write([sample(1), sample(2, project_id='p-2')], _LATER)
        own = frozenset({'p-2'})
        assert [one.sample for one in store.samples(
            Selection(projects=own), 9)] == [sample(2, project_id='p-2')]
        assert store.sample(sample(1).message_id, own) is None
        assert store.sample(sample(1).message_id, None) is not None

    def test_meters_and_resources_are_those_of_the_samples(
            self, store: SampleStore) -> None:
        store.write([sample(n) for n in range(5)], _LATER)
        assert [meter.name for meter in store.meters(
            Selection(), None, unique=True)] == ['vcpus']
        resources = store.resources(Selection(), None)
        assert [one.resource_id for one in resources] == ['i-0', 'i-1',
                                                          'i-2']
        assert resources[0].last == sample(3).timestamp

    def test_a_resource_has_all_its_meters_that_may_be_seen(
            self, store: SampleStore) -> None:
        store.write([sample(0), sample(3, meter='cpu'),
                     sample(6, meter='foreign', project_id='p-2')], _LATER)
        [resource] = store.resources(Selection(
            series=((Field.METER, 'vcpus'),),
            projects=frozenset({str(sample(0).project_id)})), None)
        assert resource.meters == ('cpu', 'vcpus')

    def test_what_samples_say_is_listed_once(self, store: SampleStore
                                             ) -> None:
        store.write([sample(0, user_id='b'), sample(1, user_id='a'),
                     sample(2, user_id='a', timestamp=_LATER),
                     sample(3, user_id=None, project_id='p-2')], NOON)
        for selection, after, found in (
                (Selection(), None, ['a', 'b']), (Selection(), 'a', ['b']),
                (Selection(start=_LATER), None, ['a']),
                (Selection(projects=frozenset(('p-2',))), None, [])):
            assert store.values(Field.USER, selection, 9, after) == found
        assert store.values(Field.USER, Selection(), 1) == ['a']

    def test_events_come_oldest_first_and_by_their_ids(
            self, store: SampleStore) -> None:
        batch = [_event(name, timestamp, **said) for name, timestamp, said in (
            ('c', _LATER, {'size': 9}), ('b', NOON, {'size': 10}),
            ('a', NOON, {'project_id': 'p-1'}))]
        store.write(batch, NOON)
        found = store.events(EventSelection(), 9)
        assert [one.sample for one in found] == batch[::-1]
        assert store.events(EventSelection(), 1, found[0]) == found[1:2]
        for selection, names in (
                (EventSelection(start=_LATER), ['c']),
                (EventSelection(end=_LATER), ['a', 'b']),
                (EventSelection(message_id='b'), ['b']),
                (EventSelection(event_type='other'), []),
                (EventSelection(projects=frozenset(('p-1',))), ['a']),
                (EventSelection(projects=frozenset((None,))), ['b', 'c']),
                (EventSelection(projects=frozenset((None,)), traits=(
                    TraitRule(op=Op.LT, than=trait('size', 10)),)), ['c'])):
            assert [one.sample.message_id for one
                    in store.events(selection, 9)] == names

    def test_types_of_events_and_their_traits_are_known(
            self, store: SampleStore) -> None:
        store.write([_event('a', NOON, size=9), _event('b', NOON, size='9')],
                    NOON)
        assert store.event_types() == ['happened']
        assert store.trait_types('happened') == [
            ('size', TraitType.INTEGER), ('size', TraitType.STRING)]
        assert store.trait_types('other') == []

    def test_meters_are_not_asked_by_id(self, store: SampleStore) -> None:
        with pytest.raises(errors.InvalidQuery):
            store.meters(Selection(message_ids=('m-1',)), None)
