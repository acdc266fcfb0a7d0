# SPDX-License-Identifier: Apache-2.0
"""Ten defects, each one change in a copy of the service."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import moc_meter


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A change of a file, and what the check must say that leads to it."""

    name: str
    file: str
    text: str                   # is there once
    planted: str
    leads: str                  # a pattern of the report
    order: str = 'shuffled'     # in which samples are sent
    early: bool = False         # shows where the same was asked before

    def plant(self, folder: Path) -> None:
        """Copy the service into a folder and change the copy."""
        copy = folder / 'moc_meter'
        shutil.copytree(
            Path(moc_meter.__file__).parent, copy,
            ignore=shutil.ignore_patterns('tests', '__pycache__'))
        path = copy / self.file
        before, after = path.read_text().split(self.text)
        path.write_text(before + self.planted + after)


DEFECTS = [
    Defect(
        name='an off-by-one at a border',
        file='storage/samples/plan.py',
        text='else level.floor(end)',
        planted='else level.floor(end) if level is Level.MONTH '
                'else level.ceiling(end)',
        leads='the end is taken to be at a whole (day|hour)'),
    Defect(
        name='<= for <', file='storage/samples/select.py',
        text='[instant < end]', planted='[instant <= end]',
        leads=r'includes what lies exactly at the end \(<= for <\)'),
    Defect(
        name='a float', file='storage/sqlite.py',
        text="return None if self._total is None else format(self._total, "
             "'f')",
        planted='return None if self._total is None else format('
                "Decimal(float(self._total)), 'f')",
        leads='nearest binary doubles of the truth: a float'),
    Defect(
        name='a lost last batch', file='api/v2/ingest.py',
        text="""\
            written = self._store.write([sample for _, sample in admitted],
                                        now)
            for (outcome, _), said in zip(admitted, written.outcomes,
                                          strict=True):
                outcome.status = said.value
""",
        planted="""\
            for start in range(0, len(admitted) - 99, 100):
                self._store.write([sample for _, sample in
                                   admitted[start:start + 100]], now)
            for outcome, _ in admitted:
                outcome.status = 'stored'
""",
        leads=r'the lost ones are the last \d+ that were sent \(shuffled\): '
              'a last batch was not stored'),
    Defect(
        name='a doubled retry', file='storage/samples/raw.py',
        text="""\
    key, other_id = kept_id(one.message_id)
""",
        planted="""\
    key, other_id = __import__('os').urandom(16), one.message_id
""",
        leads='the doubled ones were sent twice: a retry is stored again'),
    Defect(
        name='a time zone', file='api/v2/timestamp.py',
        text='return local - _offset(said)', planted='return local',
        leads=r'\d+ samples are shifted by 2:00:00: a time zone'),
    Defect(
        name='a counter reset', file='storage/samples/raw.py',
        text="""\
    return (
        series_id, period.microseconds(one.timestamp), key, metadata_id,
        recorded, one.volume, other_id, details.pack(one))
""",
        planted="""\
    highest = globals().setdefault('HIGHEST', {})
    volume = one.volume
    if one.kind == 'cumulative':
        counter = one.meter, one.resource_id
        volume = highest[counter] = max(volume, highest.get(counter, 0))
    return (
        series_id, period.microseconds(one.timestamp), key, metadata_id,
        recorded, volume, other_id, details.pack(one))
""",
        leads='reset (of a counter )?is not believed',
        order='time'),
    Defect(
        name='a swapped project', file='api/v2/ingest.py',
        text='project_id=project, user_id=one.user_id or None',
        planted='project_id=one.user_id or None, '
                'user_id=one.project_id or None',
        leads=r"samples have project_id 'u-\w+' instead of '\w+'"),
    Defect(
        name='a stale cache', file='storage/samples/sql.py',
        text="""\
        dated, rows = read(self._engine, answer)
""",
        planted="""\
        kept = self.__dict__.setdefault('kept', {})
        if repr(question) not in kept:
            kept[repr(question)] = read(self._engine, answer)
        dated, rows = kept[repr(question)]
""",
        leads='it is stale, or the batch was lost', early=True),
    Defect(
        name='a rollup from the staged rows',
        file='storage/samples/raw.py',
        text="""\
        staging.fill(conn, staged, [row for row in wanted
                                    if kept.recorded(row) in new])
""",
        planted="""\
        staging.fill(conn, staged, wanted)
""",
        leads='counts twice'),
]
