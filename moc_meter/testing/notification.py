# SPDX-License-Identifier: Apache-2.0
"""What every notification plugin promises; agent/notification/base.py."""

from __future__ import annotations

import copy
import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from moc_meter import contracts
from moc_meter.agent.notification import message, probe
from moc_meter.agent.notification.base import Notification, NotificationPlugin
from moc_meter.model.sample import Sample
from moc_meter.testing.makers import admit

#: What a field of a payload may become when its service changes.
_ODD: tuple[Any, ...] = (
    None, '', 'x', -1, 1.5, True, [], {}, [None], {'a': None})


def notification(flat: Mapping[str, Any], source: str = 'region-1'
                 ) -> Notification:
    """A captured message, in its flat form, as a plugin is given it."""
    found = message.to_notification(source, flat)
    assert found is not None, 'no plugin would be given this message'
    return found


class NotificationPluginSuite:
    """Fill in both fixtures."""

    @pytest.fixture
    def plugin(self) -> NotificationPlugin:
        """The plugin."""
        raise NotImplementedError

    @pytest.fixture
    def heard(self) -> Notification:
        """A notification of which the plugin makes samples."""
        raise NotImplementedError

    def test_it_has_what_its_host_asks_for(
            self, plugin: NotificationPlugin) -> None:
        assert contracts.complaints('moc_meter.notification', plugin) == []

    def test_it_bears_a_notification_that_holds_nothing(
            self, plugin: NotificationPlugin) -> None:
        assert probe.complaints(plugin) == []

    def test_it_asks_for_the_notification(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        assert any(fnmatch.fnmatchcase(heard.event_type, pattern)
                   for pattern in plugin.event_types)

    def test_it_makes_samples_that_may_enter(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        found = ask(plugin, heard)
        assert [admit(sample).source for sample in found] == (
            [heard.source] * len(found))
        assert found

    def test_the_same_notification_twice_is_the_same_samples(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        assert ask(plugin, heard) == ask(plugin, heard)

    def test_another_notification_is_other_samples(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        other = dataclasses.replace(heard, message_id='another')
        assert not ids(ask(plugin, heard)) & ids(ask(plugin, other))

    def test_no_two_samples_are_taken_for_one(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        found = ask(plugin, heard)
        assert len(ids(found)) == len(found)

    def test_it_leaves_the_notification_as_it_is(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        before = copy.deepcopy(heard)
        ask(plugin, heard)
        assert heard == before

    def test_a_damaged_payload_is_refused_or_read(
            self, plugin: NotificationPlugin, heard: Notification) -> None:
        for damaged in _damaged(heard.payload):
            try:
                found = ask(plugin, dataclasses.replace(heard,
                                                        payload=damaged))
            except probe.ALLOWED:
                continue
            assert all(sample.volume.is_finite() for sample in found)


def ask(plugin: NotificationPlugin, heard: Notification) -> list[Sample]:
    """What the plugin makes of it, checked as its host does."""
    return list(contracts.samples(lambda: plugin.samples(heard)))


def ids(found: list[Sample]) -> set[tuple[str, str, object]]:
    return {(sample.meter, sample.resource_id, sample.key)
            for sample in found}


def _damaged(payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The payload with one field, at any depth, gone or of another kind."""
    for name, value in payload.items():
        yield {key: kept for key, kept in payload.items() if key != name}
        for odd in _ODD:
            yield {**payload, name: odd}
        if isinstance(value, Mapping):
            for inner in _damaged(value):
                yield {**payload, name: inner}
