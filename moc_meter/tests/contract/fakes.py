# SPDX-License-Identifier: Apache-2.0
"""Stand-ins that pass the contract suites, so none can promise too much."""

from __future__ import annotations

import dataclasses
import datetime
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from moc_meter import errors
from moc_meter.messaging import entry
from moc_meter.model import metadata, period, quantity, query
from moc_meter.model.events import COMPARISONS, EventSelection
from moc_meter.model.expression import Expression, Order
from moc_meter.model.sample import MeterKind, Refused, Sample
from moc_meter.model.statistics import Statistics
from moc_meter.model.traits import TraitType, project, traits
from moc_meter.storage.samples.series import parts
from moc_meter.tests.contract import matching

Identity = tuple[object, ...]
_REFUSALS = {query.Outcome.CONFLICT: errors.SampleConflict,
             query.Outcome.EXPIRED: errors.SampleTooOld}


class FakeStore:
    """A SampleStore in memory, for one process and its threads.

    While ``away`` is true it answers as a store that cannot be reached.
    """

    def __init__(self) -> None:
        self.away = False
        self.quarantined: dict[tuple[bytes, str], Refused] = {}
        self._kept: dict[Identity, query.StoredSample] = {}
        self._dropped = dict.fromkeys(query.RetentionLevel, period.EPOCH)
        self._lock = threading.Lock()

    def ping(self) -> None:
        if self.away:
            raise errors.StoreUnavailable('the store is away')

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        self.ping()
        with self._lock:
            outcomes = self._keep_all(samples, now)
        self.quarantine([
            Refused(content=entry.write_sample(sample),
                    code=_REFUSALS[outcome].code, reason=outcome.value,
                    origin='store')
            for sample, outcome in zip(samples, outcomes, strict=True)
            if outcome in _REFUSALS], now)
        return query.Written(outcomes)

    def write_whole(self, samples: Sequence[Sample],
                    now: datetime.datetime) -> None:
        self.ping()
        with self._lock:
            before = dict(self._kept)
            for outcome in self._keep_all(samples, now):
                if outcome in _REFUSALS:
                    self._kept = before
                    raise _REFUSALS[outcome](outcome.value)

    def _keep_all(self, samples: Sequence[Sample], now: datetime.datetime
                  ) -> tuple[query.Outcome, ...]:
        return tuple(self._keep(sample, now, place)
                     for place, sample in enumerate(samples))

    def expire(self, level: query.RetentionLevel, until: datetime.datetime,
               now: datetime.datetime, by: str,
               stop: threading.Event) -> int:
        """Has no rollups, so nothing of what is dropped is answered."""
        self.ping()
        assert by
        assert not stop.is_set()
        assert now.utcoffset() == datetime.timedelta(0)
        with self._lock:
            before = len(self._kept)
            self._dropped[level] = max(self._dropped[level], until)
            self._kept = {
                identity: kept for identity, kept in self._kept.items()
                if not self._is_dropped(kept.sample)}
            return before - len(self._kept)

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        self.ping()
        assert now.utcoffset() == datetime.timedelta(0)
        for one in refused:
            self.quarantined.setdefault((one.content, one.code), one)

    def statistics(self, question: query.StatisticsQuestion
                   ) -> list[query.StatisticsRow]:
        found = [kept.sample for kept in self._selected(question.selection)]
        origin = question.origin or min(
            (sample.timestamp for sample in found), default=period.EPOCH)
        rows: dict[Identity, list[Sample]] = {}
        for sample in found:
            if (group := _group(sample, question)) is not None:
                start = question.period and origin + (
                    (sample.timestamp - origin) // question.period
                    * question.period)
                rows.setdefault((start, sample.unit, group), []).append(sample)
        question.check(len(rows))
        return sorted((_row(question, members, start)
                       for (start, *_), members in rows.items()),
                      key=lambda row: row.period_start or period.EPOCH)

    def samples(self, selection: query.Selection, limit: int, *,
                where: Expression | None = None, sort: Order = (),
                after: query.StoredSample | None = None
                ) -> list[query.StoredSample]:
        found = matching.listed(self._selected(selection), where, sort)
        if after is not None:
            place = matching.place(sort)
            found = [kept for kept in found if place(kept) > place(after)]
        return found[:limit]

    def check_expression(self, pattern: str) -> None:
        try:
            re.compile(pattern)
        except re.error:
            raise errors.InvalidQuery('no regular expression') from None

    def sample(self, message_id: str, projects: frozenset[str] | None
               ) -> query.StoredSample | None:
        return next(iter(self._selected(query.Selection(
            message_ids=(message_id,), projects=projects))), None)

    def meters(self, selection: query.Selection, limit: int | None,
               unique: bool = False, after: query.MeterSeen | None = None
               ) -> list[query.MeterSeen]:
        seen: dict[Identity, query.MeterSeen] = {}
        for kept in self._seen(selection):
            said = kept.sample
            kind = (MeterKind.DELTA if said.kind is MeterKind.EVENT
                    else said.kind)
            meter = query.MeterSeen(
                name=said.meter, kind=kind, unit=said.unit,
                **({} if unique else _owner(said)))
            seen.setdefault((said.meter, meter.resource_id or '', kind,
                             said.unit), meter)
        return [meter for key, meter in sorted(seen.items())
                if after is None or key > (
                    after.name, after.resource_id or '', after.kind,
                    after.unit)][:limit]

    def resources(self, selection: query.Selection, limit: int | None,
                  after: str | None = None) -> list[query.ResourceSeen]:
        members: dict[str, list[Sample]] = {}
        for kept in self._seen(selection):
            members.setdefault(kept.sample.resource_id, []).append(
                kept.sample)
        visible = query.Selection(projects=selection.projects)
        names: dict[str, set[str]] = {}
        for kept in self._seen(visible):
            names.setdefault(kept.sample.resource_id, set()).add(
                kept.sample.meter)
        return [_resource(samples, names[key])
                for key, samples in sorted(members.items())
                if after is None or key > after][:limit]

    def history(self, selection: query.Selection, limit: int
                ) -> list[query.ResourceState]:
        newest: dict[datetime.datetime, Sample] = {}
        for kept in self._seen(selection):
            newest.setdefault(kept.sample.timestamp, kept.sample)
        states: list[query.ResourceState] = []
        for instant, said in sorted(newest.items()):
            state = query.ResourceState(
                since=instant, until=None, source=said.source,
                project_id=said.project_id, user_id=said.user_id,
                metadata=said.metadata)
            if states and state == dataclasses.replace(
                    states[-1], since=instant):
                continue
            states[-1:] = [dataclasses.replace(one, until=instant)
                           for one in states[-1:]]
            states.append(state)
        return states[:limit]

    def _seen(self, selection: query.Selection) -> list[query.StoredSample]:
        if selection.message_ids:
            raise errors.InvalidQuery('not asked by message id')
        return self._selected(selection)

    def _keep(self, sample: Sample, now: datetime.datetime,
              place: int) -> query.Outcome:
        if self._is_dropped(sample):
            return query.Outcome.EXPIRED
        identity = (sample.source, sample.meter, sample.kind, sample.unit,
                    sample.resource_id, sample.project_id, sample.user_id,
                    sample.timestamp, sample.key)
        kept = self._kept.get(identity)
        if kept is not None:
            return (query.Outcome.DUPLICATE if kept.sample == sample
                    else query.Outcome.CONFLICT)
        self._kept[identity] = query.StoredSample(
            sample=sample, recorded_at=now + place * period.MICROSECOND)
        return query.Outcome.STORED

    def _is_dropped(self, sample: Sample) -> bool:
        return sample.timestamp < self._dropped[
            query.RetentionLevel.EVENTS if sample.is_event
            else query.RetentionLevel.SAMPLES]

    def events(self, selection: EventSelection, limit: int,
               after: query.StoredSample | None = None
               ) -> list[query.StoredSample]:
        found = sorted((kept for kept in self._kept_of(is_event=True)
                        if happened(kept.sample, selection)), key=_event_place)
        return [kept for kept in found if after is None
                or _event_place(kept) > _event_place(after)][:limit]

    def event_types(self) -> list[str]:
        return sorted({kept.sample.meter
                       for kept in self._kept_of(is_event=True)})

    def trait_types(self, event_type: str) -> list[tuple[str, TraitType]]:
        return sorted({
            (trait.name, trait.type)
            for kept in self._kept_of(is_event=True)
            if kept.sample.meter == event_type
            for trait in traits(kept.sample.metadata)})

    def values(self, field: query.Field, selection: query.Selection,
               limit: int | None, after: str | None = None) -> list[str]:
        found = {getattr(kept.sample, field)
                 for kept in self._seen(selection)} - {None}
        return sorted(value for value in found
                      if after is None or value > after)[:limit]

    def _selected(self, selection: query.Selection
                  ) -> list[query.StoredSample]:
        return sorted(
            (kept for kept in self._kept_of(is_event=False)
             if _matches(kept.sample, selection)), key=lambda kept: (
                -period.microseconds(kept.sample.timestamp),
                kept.recorded_at))

    def _kept_of(self, *, is_event: bool) -> list[query.StoredSample]:
        self.ping()
        with self._lock:
            return [kept for kept in self._kept.values()
                    if kept.sample.is_event == is_event]


class FakeDispatcher:
    """A destination in memory: what it took, by key.

    refuses: says of a batch whether it cannot be taken, by raising.
    """

    def __init__(self, refuses: Callable[[Sequence[Sample]], object]
                 = len) -> None:
        self.samples: dict[object, Sample] = {}
        self.refused: dict[tuple[bytes, str], Refused] = {}
        #: every attempt: size and instant
        self.batches: list[tuple[int, datetime.datetime]] = []
        self.pings = 0
        self.away = False
        self.refuses = refuses

    def ping(self) -> None:
        self.pings += 1
        self._check()

    def dispatch(self, samples: Sequence[Sample],
                 now: datetime.datetime) -> query.Written:
        self.batches.append((len(samples), now))
        self._check()
        self.refuses(samples)
        return query.Written(tuple(map(self._keep, samples)))

    def _keep(self, sample: Sample) -> query.Outcome:
        before = len(self.samples)
        self.samples.setdefault(
            (sample.source, sample.timestamp, sample.key), sample)
        return (query.Outcome.STORED if len(self.samples) > before
                else query.Outcome.DUPLICATE)

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        assert now.utcoffset() == datetime.timedelta(0)
        self._check()
        for one in refused:
            self.refused.setdefault((one.content, one.code), one)

    def _check(self) -> None:
        if self.away:
            raise errors.StoreUnavailable('the destination is away')


def _matches(sample: Sample, selection: query.Selection) -> bool:
    scalars = {(path, (kind, text)) for path, kind, text
               in metadata.scalars(sample.metadata)}
    return (
        all(getattr(sample, field) == value
            for field, value in selection.series)
        and all(sample.message_id == wanted
                for wanted in selection.message_ids)
        and all(any((rule.path, value) in scalars for value in rule.values)
                for rule in selection.metadata)
        and (selection.start is None or selection.start <= sample.timestamp)
        and (selection.end is None or sample.timestamp < selection.end)
        and (selection.projects is None
             or sample.project_id in selection.projects))


def happened(event: Sample, selection: EventSelection) -> bool:
    """Whether an event is one of those that are meant."""
    said = {trait.name: trait for trait in traits(event.metadata)}
    return (
        selection.event_type in (None, event.meter)
        and selection.message_id in (None, event.message_id)
        and all(rule.than.name in said
                and said[rule.than.name].type == rule.than.type
                and COMPARISONS[rule.op](said[rule.than.name].value,
                                         rule.than.value)
                for rule in selection.traits)
        and (selection.start is None or selection.start <= event.timestamp)
        and (selection.end is None or event.timestamp < selection.end)
        and (selection.projects is None
             or project(event.metadata) in selection.projects))


def _event_place(kept: query.StoredSample) -> tuple[object, ...]:
    return kept.sample.timestamp, kept.sample.message_id, str(
        parts(kept.sample))


def _group(sample: Sample, question: query.StatisticsQuestion
           ) -> tuple[tuple[str, str | None], ...] | None:
    """What the sample is grouped by; None where it lacks a path."""
    texts = {path: text for path, _, text
             in metadata.scalars(sample.metadata)}
    if not texts.keys() >= set(question.group_by_metadata):
        return None
    return (*((field.value, getattr(sample, field))
              for field in question.group_by),
            *((path, texts[path]) for path in question.group_by_metadata))


def _row(question: query.StatisticsQuestion, members: Sequence[Sample],
         start: object) -> query.StatisticsRow:
    statistics = Statistics.of((sample.timestamp, sample.volume)
                               for sample in members)
    assert statistics
    assert start is None or isinstance(start, datetime.datetime)
    return query.StatisticsRow(
        unit=members[0].unit, group=dict(_group(members[0], question) or ()),
        period_start=start, statistics=statistics,
        squares=_squares(sample.volume for sample in members)
        if question.squares else None,
        cardinality={field: _distinct(members, field)
                     for field in question.cardinality})


def _squares(volumes: Iterable[Decimal]) -> Decimal:
    return quantity.total(quantity.multiply(volume, volume)
                          for volume in volumes)


def _distinct(members: Sequence[Sample], field: query.Field) -> int:
    return len({getattr(sample, field) for sample in members} - {None})


def _owner(sample: Sample) -> Mapping[str, str | None]:
    return {'resource_id': sample.resource_id, 'source': sample.source,
            'project_id': sample.project_id, 'user_id': sample.user_id}


def _resource(newest_first: Sequence[Sample], meters: Iterable[str]
              ) -> query.ResourceSeen:
    newest = newest_first[0]
    return query.ResourceSeen(
        resource_id=newest.resource_id, first=newest_first[-1].timestamp,
        last=newest.timestamp, source=newest.source,
        project_id=newest.project_id, user_id=newest.user_id,
        metadata=newest.metadata,
        meters=tuple(sorted(meters)))
