# SPDX-License-Identifier: Apache-2.0
"""A listener in a process of its own, which dies where it is told to."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from moc_meter.agent.notification.cloud import CloudBus
from moc_meter.agent.notification.host import PluginHost
from moc_meter.agent.notification.service import NotificationService
from moc_meter.agent.notification.volume import VolumeMeters
from moc_meter.model import meter
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher.file import FilePublisher


class DyingPublisher:
    """Makes a batch durable, and the power goes off before it returns."""

    def __init__(self, path: Path) -> None:
        self._file = FilePublisher(path)

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        self._file.publish(samples, refused)
        os.kill(os.getpid(), signal.SIGKILL)

    def close(self) -> None:
        self._file.close()


if __name__ == '__main__':
    NotificationService(
        CloudBus(url=sys.argv[1]), source='region-1',
        host=PluginHost({'volume': VolumeMeters()}, meter.load()),
        publisher=DyingPublisher(Path(sys.argv[2]))).run(threading.Event())
