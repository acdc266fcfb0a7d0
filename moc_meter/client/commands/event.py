# SPDX-License-Identifier: Apache-2.0
"""Events: what happened, as notifications told it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable

from moc_meter.client.columns import Column, Several
from moc_meter.client.commands import options
from moc_meter.client.commands.base import Listing, Showing
from moc_meter.client.filters import Filter
from moc_meter.client.models import Event, Trait, TraitDescription
from moc_meter.terminal import harmless


class Traits(Several):
    """What an event says; in a table without the types."""

    def human_readable(self) -> str:
        return '\n'.join(harmless(f'{trait.name}={trait.value}')
                         for trait in self._value)

    def machine_readable(self) -> list[dict[str, str]]:
        return [dataclasses.asdict(trait) for trait in self._value]


_COLUMNS = (Column('generated'), Column('event_type'), Column('message_id'),
            Column('traits', lambda event: Traits(event.traits), long=True))


class ListEvents(Listing):
    """List events, the oldest first."""

    columns = _COLUMNS
    examples = ('--type compute.instance.create.end --start -7d',
                "--query 'vcpus>=integer::2' --limit 5 --long",
                '--trait display_name=web -f json')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group('selection', 'All of it must hold.')
        options.query(group)
        group.add_argument('--type', metavar='TYPE', help='of this type')
        group.add_argument('--trait', metavar='NAME=VALUE', action='append',
                           default=[], help='with this trait, a string; may '
                           'be said again, and others in --query')
        options.period(parser)
        options.limit(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[Event]:
        rules = options.rules_of(asked)
        if asked.type is not None:
            rules.append(Filter('event_type', '=', asked.type))
        rules += [Filter(name, '=', value, 'string') for name, value in (
            options.pair_of('--trait', pair) for pair in asked.trait)]
        return self.client.events(
            [*rules, *options.range_of(asked, 'start_timestamp',
                                       'end_timestamp')],
            limit=asked.limit)


class ShowEvent(Showing):
    """Show one event, with all that it says."""

    columns = _COLUMNS
    examples = ('ID', 'ID -f json')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('event', metavar='ID', help='of its message')

    def item(self, asked: argparse.Namespace) -> Event:
        return self.client.event(asked.event)


class ListTypes(Listing):
    """List the types of all events.

    For administrators."""

    columns = (Column('event_type', lambda name: name),)
    examples = ('', '-f value')

    def items(self, asked: argparse.Namespace) -> Iterable[str]:
        del asked
        return self.client.event_types()


class ListTraits(Listing):
    """List what events of a type say.

    For administrators."""

    columns = (Column('name'), Column('type'))
    examples = ('compute.instance.create.end',)

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        _type(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[TraitDescription]:
        return self.client.traits(asked.type)


class ListTraitValues(Listing):
    """List a trait of all events of a type.

    For administrators."""

    columns = (Column('value'), Column('type'))
    examples = ('compute.instance.create.end vcpus',)

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        _type(parser)
        parser.add_argument('trait', metavar='TRAIT', help='its name')

    def items(self, asked: argparse.Namespace) -> Iterable[Trait]:
        return self.client.trait_values(asked.type, asked.trait)


def _type(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('type', metavar='TYPE', help='of the events')
