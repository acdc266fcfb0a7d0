# SPDX-License-Identifier: Apache-2.0
"""Samples made by hand, and by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from moc_meter.truth import answers, instants, questions
from moc_meter.truth.forms import UNIT, Sample

DAY = '2024-05-06T'


def sample(at: str, volume: int, number: int = 0, **changes: object
           ) -> Sample:
    """A sample of disk.gb at an hour of a day; see TABLE."""
    fields = {'source': 'region-1', 'message_id': f'm-{number}',
              'timestamp': instants.parse(DAY + at), 'meter': 'disk.gb',
              'kind': 'gauge', 'unit': 'GB', 'volume': volume * UNIT,
              'resource_id': 'a', 'project_id': 'p1', 'user_id': 'u1',
              'metadata': {}}
    return Sample(**{**fields, **changes})       # type: ignore[arg-type]


#: The example that the contract of the API explains statistics with.
TABLE = (sample('10:00', 8, 1),
         sample('11:00', 2, 2, user_id='u2'),
         sample('12:00', 5, 3, resource_id='b', user_id='u2'),
         sample('13:00', 3, 4, resource_id='b', user_id='u2'))

STATISTICS = '/v2/meters/disk.gb/statistics?'


def between(*rules: tuple[str, str]) -> str:
    """Rules on the time as a query: ('ge', '10:00')."""
    return '&'.join(f'q.field=timestamp&q.op={op}&q.value={DAY}{at}'
                    for op, at in rules)


def ask(text: str, samples: Sequence[Sample] = TABLE) -> object:
    """What is true; figures are fractions."""
    return answers.answer([questions.parse(text)], samples)[0].shown()


def rows(text: str, samples: Sequence[Sample] = TABLE) -> list[dict[
        str, object]]:
    """Likewise, of a list."""
    found = ask(text, samples)
    assert isinstance(found, list)
    return found


_HOURS = st.integers(0, 71).map(lambda hours: hours * 3600 * 10 ** 6)
_TEXTS = st.sampled_from(('a', 'b', 'c'))


@st.composite
def _samples(draw: st.DrawFn) -> Sample:
    start = instants.parse(DAY + '00:00')
    return Sample(
        source='region-1', message_id='', meter='disk.gb', kind='gauge',
        timestamp=start + draw(_HOURS) + draw(st.sampled_from((-1, 0, 1))),
        unit=draw(st.sampled_from(('GB', 'GiB'))),
        volume=draw(st.integers(-10 ** 20, 10 ** 20)),
        resource_id=draw(_TEXTS),
        project_id=draw(st.one_of(st.none(), _TEXTS)),
        user_id=draw(st.one_of(st.none(), _TEXTS)),
        metadata=draw(st.sampled_from((
            {}, {'instance_type': 'small'}, {'instance_type': 'large'}))))


#: Lists of samples of one meter, each with an id of its own.
SAMPLES = st.lists(_samples(), max_size=30).map(
    lambda found: [sample._replace(message_id=f'm-{number}')
                   for number, sample in enumerate(found)])
