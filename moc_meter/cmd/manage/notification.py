# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage notification explain: what comes of notifications."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from oslo_config import cfg

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.host import Outcome
from moc_meter.cmd import build_agent
from moc_meter.cmd.manage import arguments, files, output, replay
from moc_meter.cmd.manage.arguments import Group
from moc_meter.model.sample import Sample

_FORMS = ('a notification as JSON, or one a line; flat or in an oslo v2 '
          'envelope')


def commands(group: Group) -> None:
    explain_ = group.add_command(
        'explain', explain,
        'Say which samples the plugins make of notifications, one JSON object '
        'a sample, or why there are none. Stores nothing.',
        '0: every message was understood; 1: one was refused')
    arguments.files(explain_, _FORMS)
    explain_.add_argument(
        '--profile', type=lambda text: text.split(','), metavar='NAME,…',
        help='profiles of the meters that are wanted: metric, existence, '
             'versioned (default: metric,existence, or what [notification] '
             'profiles says)')
    replay_ = group.add_command(
        'replay', replay.replay,
        'Send notifications as an agent would, and say what became of their '
        'samples: over [messaging] url where that is set, otherwise to the '
        'all-in-one at --url.',
        '0: every sample is in the store; 1: one is not')
    arguments.files(replay_, _FORMS, '*')
    replay.arguments(replay_)


def explain(conf: cfg.ConfigOpts) -> int:
    """Status 1 where a message was refused, by its form or by a plugin."""
    asked: argparse.Namespace = conf.command
    if asked.profile:
        _want(conf, asked.profile)
    host = build_agent.plugin_host(conf)
    refused = 0
    place: str | None = None
    for place, content in files.documents(asked.files):
        try:
            flat = message.flat(content)
        except errors.InvalidMessage as fault:
            refused += 1
            print(output.line({'message': place, 'code': fault.code,
                               'reason': str(fault)}))
            continue
        outcome = host.take(conf.sample_source, flat)
        refused += len(outcome.refused)
        for said in _said(flat, outcome):
            print(output.line(said))
    if place is None:
        print(output.line({'reason': 'there is no message in what was given',
                           'files': asked.files}))
    return 1 if refused else 0


def _want(conf: cfg.ConfigOpts, profiles: list[str]) -> None:
    try:
        conf.set_override('profiles', profiles, group='notification')
    except ValueError as fault:
        raise errors.InvalidConfiguration(
            'no such profile', option='--profile', value=profiles,
            reason=str(fault)) from None


def _said(flat: Mapping[str, Any], outcome: Outcome
          ) -> Iterator[dict[str, object]]:
    """The samples, what was refused, or why there is neither."""
    for sample, maker in zip(outcome.samples, outcome.makers, strict=True):
        yield _shown(sample, maker)
    whole = {name: flat.get(name) for name in ('message_id', 'event_type')}
    for one in outcome.refused:
        plugin, _, reason = one.reason.partition(': ')
        yield {**whole, 'plugin': plugin, 'code': one.code, 'reason': reason}
    if not outcome.samples and not outcome.refused:
        yield {**whole, **_why_none(flat, outcome)}


def _why_none(flat: Mapping[str, Any], outcome: Outcome
              ) -> dict[str, object]:
    said: dict[str, object] = {'reason': 'the plugins make nothing of it',
                               'plugins': list(outcome.asked)}
    if outcome.unmetered:
        said = {'reason': outcome.unmetered,
                'priority': flat.get('priority')}
    elif outcome.unwanted:
        said = {'reason': 'the profiles of its meters are off; switch them '
                          'on by --profile',
                'meters': sorted(set(outcome.unwanted))}
    elif not outcome.asked and outcome.switched_off:
        said = {'reason': 'the plugins that ask for this event type are '
                          'switched off; see --profile'}
    elif not outcome.asked:
        said = {'reason': 'no plugin asks for this event type; see '
                          'moc-meter-manage plugin list'}
    if outcome.switched_off:
        said['switched_off'] = dict(outcome.switched_off)
    return said


def _shown(sample: Sample, plugin: str) -> dict[str, object]:
    return {'name': sample.meter, 'type': sample.kind.value,
            'unit': sample.unit, 'volume': sample.volume,
            'resource_id': sample.resource_id,
            'project_id': sample.project_id, 'user_id': sample.user_id,
            'timestamp': sample.timestamp, 'message_id': sample.message_id,
            'plugin': plugin, 'metadata': dict(sample.metadata)}
