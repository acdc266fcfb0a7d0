# SPDX-License-Identifier: Apache-2.0
"""Polled samples until they can be asked for, by Gnocchi."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from moc_meter.tests.perf.data import Told
from moc_meter.tests.perf.frame import Side
from moc_meter.tests.perf.peers.gnocchi import POLICY, Client, Gnocchi
from moc_meter.tests.perf.peers.services import Services
from moc_meter.tests.perf.polling import Round, rounds
from moc_meter.tests.perf.progress import say
from moc_meter.tests.servers.base import ServerFailed

#: Rounds of one turn; fewer than of ours, since each takes longer.
_ROUNDS = 10
_PATIENCE = 300.0
_GLANCE = 0.02


def sides(services: Services, every: Any) -> Iterator[Side]:
    """every: the series, of Told."""
    gnocchi = _Polled(services.gnocchi(), every)
    yield Side(name='Gnocchi', unit='samples/s', ready=gnocchi.ready,
               turn=gnocchi.turn)


class _Polled:
    """Rounds are posted as batches; then it is asked about one series."""

    def __init__(self, server: Gnocchi, every: list[Told]) -> None:
        self._server = server
        self._client = Client(server)
        self._made = rounds(every)
        self._last: list[Round] = []
        self._bodies: list[object] = []
        self._series, self._meter = _id(every[-1].resource_id), every[-1].meter
        self._count, self._sum = 0, Fraction(0)
        say(f'{len(every)} resources into the index of Gnocchi')
        self._client.ask('POST', '/v1/archive_policy', POLICY)
        for one in every:
            self._client.ask('POST', '/v1/resource/generic', {
                'id': _id(one.resource_id), 'project_id': one.project_id,
                'user_id': one.user_id, 'metrics': {
                    one.meter: {'archive_policy_name': POLICY['name']}}})
        server.pause()

    def ready(self) -> None:
        self._last = [next(self._made) for _ in range(_ROUNDS)]
        self._bodies = [{
            _id(sample.resource_id): {sample.meter: [
                {'timestamp': sample.timestamp.isoformat(),
                 'value': float(sample.volume)}]}
            for sample in each.samples} for each in self._last]
        self._count += _ROUNDS
        self._sum += sum(Fraction(each.samples[-1].volume)
                         for each in self._last)

    def turn(self) -> int:
        self._server.resume()
        for body in self._bodies:
            self._client.ask(
                'POST', '/v1/batch/resources/metrics/measures', body)
        end = time.monotonic() + _PATIENCE
        while self._client.waits() or self._said() != (self._count,
                                                       self._sum):
            if time.monotonic() > end:
                raise ServerFailed(f'{self._said()} of {self._count}')
            time.sleep(_GLANCE)
        self._server.pause()
        return sum(len(each.samples) for each in self._last)

    def _said(self) -> tuple[int, Fraction]:
        """How many volumes of the last series, and what they come to."""
        count, total = (
            sum(Fraction(value) for _, _, value in self._client.ask(
                'GET', f'/v1/resource/generic/{self._series}/metric/'
                f'{self._meter}/measures?granularity=86400&aggregation='
                f'{method}') or ()) for method in ('count', 'sum'))
        return int(count), Fraction(total)


def _id(resource_id: str) -> str:
    """Gnocchi knows a resource by a UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, resource_id))
