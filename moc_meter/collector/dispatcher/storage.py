# SPDX-License-Identifier: Apache-2.0
"""Into the sample store."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from moc_meter.model import query
from moc_meter.model.sample import Refused, Sample
from moc_meter.storage.samples.base import SampleStore


class StorageDispatcher:
    """Hands batches to the store, which is idempotent by itself."""

    def __init__(self, store: SampleStore) -> None:
        self._store = store

    def ping(self) -> None:
        self._store.ping()

    def dispatch(self, samples: Sequence[Sample],
                 now: datetime.datetime) -> query.Written:
        return self._store.write(samples, now)

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        self._store.quarantine(refused, now)
