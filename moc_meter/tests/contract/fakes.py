# SPDX-License-Identifier: Apache-2.0
"""Stand-ins that pass the contract suites, so none can promise too much."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from moc_meter import errors
from moc_meter.messaging import entry
from moc_meter.model import metadata, period, quantity, query
from moc_meter.model.sample import Refused, Sample
from moc_meter.model.statistics import Statistics

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
        self._dropped = period.EPOCH
        self._lock = threading.Lock()

    def ping(self) -> None:
        if self.away:
            raise errors.StoreUnavailable('the store is away')

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        self.ping()
        with self._lock:
            outcomes = tuple(self._keep(sample, now, place)
                             for place, sample in enumerate(samples))
        self.quarantine([
            Refused(content=entry.write_sample(sample),
                    code=_REFUSALS[outcome].code, reason=outcome.value,
                    origin='store')
            for sample, outcome in zip(samples, outcomes, strict=True)
            if outcome in _REFUSALS], now)
        return query.Written(outcomes)

    def expire(self, until: datetime.datetime, now: datetime.datetime,
               by: str) -> int:
        """Has no rollups, so nothing of what is dropped is answered."""
        self.ping()
        assert by
        assert now.utcoffset() == datetime.timedelta(0)
        with self._lock:
            before = len(self._kept)
            self._dropped = max(self._dropped, until)
            self._kept = {
                identity: kept for identity, kept in self._kept.items()
                if kept.sample.timestamp >= self._dropped
                or kept.sample.is_event}
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
        return sorted((_row(question, members, start)
                       for (start, *_), members in rows.items()),
                      key=lambda row: row.period_start or period.EPOCH)

    def samples(self, selection: query.Selection, limit: int
                ) -> list[query.StoredSample]:
        return self._selected(selection)[:limit]

    def sample(self, message_id: str, projects: frozenset[str] | None
               ) -> query.StoredSample | None:
        return next(iter(self._selected(query.Selection(
            message_ids=(message_id,), projects=projects))), None)

    def meters(self, selection: query.Selection, limit: int | None,
               unique: bool = False) -> list[query.MeterSeen]:
        seen: dict[Identity, query.MeterSeen] = {}
        for kept in self._seen(selection):
            said = kept.sample
            meter = query.MeterSeen(
                name=said.meter, kind=said.kind, unit=said.unit,
                **({} if unique else _owner(said)))
            seen.setdefault((said.meter, meter.resource_id or '', said.kind,
                             said.unit), meter)
        return [meter for _, meter in sorted(seen.items())][:limit]

    def resources(self, selection: query.Selection, limit: int | None
                  ) -> list[query.ResourceSeen]:
        members: dict[str, list[Sample]] = {}
        for kept in self._seen(selection):
            members.setdefault(kept.sample.resource_id, []).append(
                kept.sample)
        return [_resource(samples) for _, samples in sorted(members.items())
                ][:limit]

    def _seen(self, selection: query.Selection) -> list[query.StoredSample]:
        if selection.message_ids:
            raise errors.InvalidQuery('not asked by message id')
        return self._selected(selection)

    def _keep(self, sample: Sample, now: datetime.datetime,
              place: int) -> query.Outcome:
        if sample.timestamp < self._dropped and not sample.is_event:
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

    def _selected(self, selection: query.Selection
                  ) -> list[query.StoredSample]:
        return self._found(selection, is_event=False)

    def events(self, selection: query.Selection, limit: int
               ) -> list[query.StoredSample]:
        return self._found(selection, is_event=True)[:limit]

    def _found(self, selection: query.Selection, is_event: bool
               ) -> list[query.StoredSample]:
        self.ping()
        with self._lock:
            found = [kept for kept in self._kept.values()
                     if kept.sample.is_event == is_event
                     and _matches(kept.sample, selection)]
        return sorted(found, key=lambda kept: (
            -period.microseconds(kept.sample.timestamp), kept.recorded_at))


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


def _resource(newest_first: Sequence[Sample]) -> query.ResourceSeen:
    newest = newest_first[0]
    return query.ResourceSeen(
        resource_id=newest.resource_id, first=newest_first[-1].timestamp,
        last=newest.timestamp, source=newest.source,
        project_id=newest.project_id, user_id=newest.user_id,
        metadata=newest.metadata,
        meters=tuple(sorted({sample.meter for sample in newest_first})))
