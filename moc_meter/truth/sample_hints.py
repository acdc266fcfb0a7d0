# SPDX-License-Identifier: Apache-2.0
"""What most likely went wrong with samples that are not as they should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from moc_meter.truth import compare, counters, instants
from moc_meter.truth.delivery import ORDERS
from moc_meter.truth.forms import UNIT, Sample
from moc_meter.truth.reading import Bent, Reading
from moc_meter.truth.world import World

_SHARED = ('meter', 'kind', 'resource_id', 'project_id', 'user_id')
_HOUR = 3600 * 10 ** 6


def hints(found: Reading, world: World) -> list[str]:
    """Of what is lost, doubled and bent."""
    return [*_lost(found, world), *_doubled(found, world),
            *_bent(found.bent, world)]


def absent(found: Reading, world: World) -> str:
    """Where nothing is there, no fault of the service need be looked for.

    '' where something is.
    """
    sent = 'was it sent with this --seed, --scale'
    if found.wanted and not found.read:
        return (f'nothing of source {world.source} is there: {sent} and '
                '--source, and may the caller see all projects?')
    if found.wanted == len(found.lost) > 0 and found.strange:
        return (f'what is there of source {world.source} is of another '
                f'world: {sent} and --source?')
    return ''


def _lost(found: Reading, world: World) -> Iterator[str]:
    names = {sample.message_id for sample in found.lost}
    if not names:
        return
    for order in ORDERS:
        if _last(world, order, names):
            yield (f'the lost ones are the last {len(names)} that were sent '
                   f'({order}): a last batch was not stored')
            return
    handled = 'the first sample of a counter after its reset is left out'
    series = _series(found.lost, world)
    left = {one.message_id for one in series} - {
        one.message_id for one in counters.FAULTS[handled](series)}
    if names == left:
        yield f'{handled}: the lost ones are these'
    yield from _alike('lost', found.lost)


def _last(world: World, order: str, names: set[str]) -> bool:
    """Whether they are all that was sent after the first of them.

    What came before as well, and then again, is not lost.
    """
    tail: set[str] = set()
    for sample in world.delivered(order):
        if tail or sample.message_id in names:
            tail.add(sample.message_id)
            if len(tail) > 2 * len(names) + 1000:
                return False
    for sample in world.delivered(order):
        if sample.message_id in names:
            break
        tail.discard(sample.message_id)
    return tail == names


def _alike(what: str, samples: Sequence[Sample]) -> Iterator[str]:
    if len(samples) < 2:
        return
    for name in _SHARED:
        values = {getattr(sample, name) for sample in samples}
        if len(values) == 1:
            yield f'all {what} ones have the {name} {values.pop()}'
    if all(sample.timestamp % _HOUR == 0 for sample in samples):
        yield f'all {what} ones are at whole hours'


def _doubled(found: Reading, world: World) -> Iterator[str]:
    names = {*found.doubled, *found.copies.values()}
    if not names:
        return
    for order in ORDERS:
        times = Counter(sample.message_id for sample
                        in world.delivered(order)
                        if sample.message_id in names)
        if all(count > 1 for count in times.values()):
            yield ('the doubled ones were sent twice: a retry is stored '
                   'again')
            return
    yield (f'{len(names)} of {found.wanted} samples are there more than '
           'once: a retry, or what else is sent again, is stored again')


def _bent(bent: Sequence[Bent], world: World) -> Iterator[str]:
    by: dict[str, list[tuple[Sample, object, object]]] = {}
    for one in bent:
        for found in one.differences:
            by.setdefault(found.field, []).append(
                (one.sample, found.got, found.want))
    crossed = sum(_is_crossed(one) for one in bent)
    if crossed:
        yield f'project and user are exchanged in {crossed} samples'
    for field, cases in by.items():
        if field == 'timestamp':
            yield from _shifts(cases)
        elif field == 'volume':
            yield from _volumes(cases, world)
        else:
            yield from _instead(field, cases)


def _is_crossed(bent: Bent) -> bool:
    got = {one.field: one.got for one in bent.differences}
    return {'project_id', 'user_id'} <= set(got) and (
        got['project_id'], got['user_id']) == (
        bent.sample.user_id, bent.sample.project_id)


def _shifts(cases: Iterable[tuple[Sample, object, object]]
            ) -> Iterator[str]:
    read = [(sample, got, instants.read(got)) for sample, got, _ in cases]
    shifts = Counter(at - sample.timestamp for sample, _, at in read
                     if at is not None)
    odd = [got for _, got, at in read if at is None]
    if odd:
        yield (f'the timestamps of {len(odd)} samples are none: '
               f'{compare.text(odd[0])}')
    for by, count in shifts.most_common(3):
        what = 'a time zone' if by % (_HOUR // 4) == 0 else (
            'a timestamp that is rounded or cut')
        yield (f'the timestamps of {count} samples are shifted by '
               f'{instants.show_length(by)}: {what}')


def _volumes(cases: Sequence[tuple[Sample, object, object]], world: World
             ) -> Iterator[str]:
    if all(_double(got, sample) for sample, got, _ in cases):
        yield ('bent volumes are the nearest binary doubles of the truth: a '
               'float')
        return
    series = _series([sample for sample, _, _ in cases], world)
    said = {sample.message_id: got for sample, got, _ in cases}
    for text, handled in counters.FAULTS.items():
        volumes = {one.message_id: one.exact for one in handled(series)}
        if all(compare.same(got, volumes.get(name))
               for name, got in said.items()):
            yield text
            return
    readings = {(one.meter, one.resource_id, one.exact) for one in series}
    if all(sample.kind == 'cumulative'
           and (sample.meter, sample.resource_id,
                compare.as_number(got)) in readings
           for sample, got, _ in cases):
        yield ('bent volumes are other readings of the same counters, as '
               'where a reset is not believed')
        return
    ratios = {_ratio(got, sample) for sample, got, _ in cases}
    if len(ratios) == 1 and (ratio := ratios.pop()):
        yield (f'bent volumes are {compare.text(ratio)} times what they '
               'should be: a unit')


def _double(got: object, sample: Sample) -> bool:
    number = compare.as_number(got)
    return (number is not None
            and compare.double(number) == float(sample.exact))


def _ratio(got: object, sample: Sample) -> Fraction | None:
    number = compare.as_number(got)
    if number is None or not sample.volume:
        return None
    return number * UNIT / sample.volume


def _instead(field: str, cases: Iterable[tuple[Sample, object, object]]
             ) -> Iterator[str]:
    pairs = Counter((compare.text(got), compare.text(want))
                    for _, got, want in cases)
    for (got, want), count in pairs.most_common(3):
        swapped = pairs.get((want, got))
        yield (f'{count} samples have {field} {got} instead of {want}'
               + (f', and {swapped} the other way: they are exchanged'
                  if swapped else ''))


def _series(samples: Iterable[Sample], world: World) -> list[Sample]:
    """All samples of the series of these, in order of time."""
    wanted = {(sample.meter, sample.resource_id) for sample in samples}
    return [sample for sample in world.samples()
            if (sample.meter, sample.resource_id) in wanted]
