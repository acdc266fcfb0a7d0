# SPDX-License-Identifier: Apache-2.0
"""What every notification plugin promises, asked of ours."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path

import pytest

import moc_meter.tests
from moc_meter import plugins
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification, NotificationPlugin
from moc_meter.testing.notification import NotificationPluginSuite

MESSAGES = (Path(moc_meter.tests.__file__).parent / 'data' / 'notifications'
            / 'messages')
#: No service has published a message that these make samples of; their unit
#: tests make up some by the services' documents.
UNPUBLISHED = {'compute.carried', 'database.instance', 'dns.domain',
               'profiler.trace', 'share.share'}
PLUGINS = {name: make() for name, make
           in plugins.load('moc_meter.notification').items()}


def captured() -> Iterator[Notification]:
    for path in sorted(MESSAGES.glob('*.json')):
        found = message.to_notification('region-1',
                                        message.flat(path.read_bytes()))
        if found:
            yield found


def first(plugin: NotificationPlugin) -> Notification | None:
    """The first captured notification of which it makes samples."""
    return next((one for one in captured() if any(
        fnmatch.fnmatchcase(one.event_type, pattern)
        for pattern in plugin.event_types) and [*plugin.samples(one)]), None)


HEARD = {name: first(plugin) for name, plugin in PLUGINS.items()}


def test_every_other_plugin_has_a_captured_notification() -> None:
    assert {name for name, heard in HEARD.items()
            if heard is None} == UNPUBLISHED


class TestNotificationPlugins(NotificationPluginSuite):
    """Every one, with a notification that was captured."""

    @pytest.fixture(params=[name for name, heard in HEARD.items() if heard])
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def plugin(self, name: str) -> NotificationPlugin:
        made: NotificationPlugin = PLUGINS[name]
        return made

    @pytest.fixture
    def heard(self, name: str) -> Notification:
        found = HEARD[name]
        assert found
        return found
