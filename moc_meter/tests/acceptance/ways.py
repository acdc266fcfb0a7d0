# SPDX-License-Identifier: Apache-2.0
"""Ways to ask a question of the truth: each answers in the API's own form."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import datetime
import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib import parse as urls

from moc_meter import client
from moc_meter.client import filters
from moc_meter.cmd import exits, shell
from moc_meter.tests.acceptance.system import program
from moc_meter.truth import instants
from moc_meter.truth.questions import Kind, Question, Rule
from moc_meter.truth.service import Said

#: Takes the words of a command; its status, and what it printed.
Typed = Callable[[Sequence[str]], tuple[int, str]]

_ZONE, _AHEAD = 'Asia/Kathmandu', 345      # minutes
_OPERATORS = {'eq': '=', 'ne': '!=', 'lt': '<', 'le': '<=', 'gt': '>',
              'ge': '>='}
_NUMBERS = ('volume', 'count', 'min', 'max', 'avg', 'sum', 'duration',
            'period')
_INSTANT = re.compile('timestamp|_start$|_end$')
#: Nobody, which CSV does not tell from somebody without a name.
_NAMES = ('user_id', 'project_id', 'resource_id', 'source')
_COMMANDS = {Kind.METERS: ('meter', 'list'), Kind.SAMPLES: ('sample', 'list'),
             Kind.RESOURCES: ('resource', 'list'),
             Kind.STATISTICS: ('statistics',), Kind.SAMPLE: ('sample', 'show'),
             Kind.RESOURCE: ('resource', 'show')}


def askable(question: Question) -> Question:
    """The same as a client asks it: without what only the API's URLs say."""
    match question.kind:
        case Kind.METER:
            return dataclasses.replace(
                question, kind=Kind.SAMPLES, name=None, rules=(
                    *question.rules, Rule('meter', 'eq', question.name or '')))
        case Kind.RESOURCES:
            return dataclasses.replace(question, meter_links=0)
    return dataclasses.replace(question, period=question.period or None)


def by_library(service: client.Client, question: Question) -> Said:
    """Asked by the Python library."""
    try:
        found = _called(service, question)
        return Said(200, [_plain(one) for one in found]
                    if isinstance(found, list) else _plain(found))
    except client.NotFound as fault:
        return Said(fault.status or 0, None)


def _called(service: client.Client, question: Question) -> Any:
    rules, name = _filters(question), question.name or ''
    match question.kind:
        case Kind.METERS:
            return list(service.meters(rules, unique=question.unique,
                                       limit=question.limit))
        case Kind.SAMPLES:
            return list(service.samples(rules, limit=question.limit))
        case Kind.RESOURCES:
            return list(service.resources(rules, links=False,
                                          limit=question.limit))
        case Kind.SAMPLE:
            return service.sample(name)
        case Kind.RESOURCE:
            return service.resource(name)
    return service.statistics(
        name, rules, period=question.period, groupby=question.groupby,
        aggregates=_aggregates(question))


def _plain(found: Any) -> dict[str, Any]:
    """A dataclass as the API's JSON has it."""
    return {name: instants.show(instants.parse(value.isoformat()))
            if isinstance(value, datetime.datetime) else value
            for name, value in dataclasses.asdict(found).items()} | (
        {'links': [dataclasses.asdict(link) for link in found.links]}
        if isinstance(found, client.Resource) else {})


def in_process(url: str) -> Typed:
    """Commands that are run by this process."""
    def typed(words: Sequence[str]) -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = shell.main([*words, '--url', url])
        return status, said.getvalue()

    return typed


def by_process(url: str) -> Typed:
    """Commands that are run as somebody runs them."""
    def typed(words: Sequence[str]) -> tuple[int, str]:
        done = subprocess.run(
            [program('moc-meter'), *words, '--url', url], check=False,
            stdout=subprocess.PIPE, text=True, timeout=60)
        return done.returncode, done.stdout

    return typed


def by_json(typed: Typed, question: Question) -> Said:
    """Asked by the command line, and read as JSON."""
    status, said = typed([*_words(question), '-f', 'json'])
    if status:
        return _failed(status)
    found = json.loads(said, parse_float=Decimal)
    return Said(200, [_as_api(question, row) for row in found]
                if isinstance(found, list) else _as_api(question, found))


def by_csv(typed: Typed, question: Question) -> Said:
    """Asked by the command line, in another zone, and read as CSV.

    question: for a list.
    """
    times = _times(question)
    left = dataclasses.replace(question, rules=tuple(
        rule for rule in question.rules if rule not in times))
    status, said = typed([
        *_words(left), *(word for rule, words in times.items()
                         for word in words),
        '-f', 'csv', '--timezone', _ZONE])
    if status:
        return _failed(status)
    return Said(200, [_as_api(question, dict(_typed(question, row)))
                      for row in csv.DictReader(io.StringIO(said,
                                                            newline=''))])


def _times(question: Question) -> dict[Rule, tuple[str, str]]:
    """Rules that are told by an option, in the zone; and by which."""
    found = {(rule.field, rule.op): rule for rule in question.rules}
    bounds = {option: found['timestamp', op] for option, op in (
        ('--start', 'ge'), ('--end', 'lt')) if ('timestamp', op) in found}
    at = {option: instants.parse(rule.value)
          for option, rule in bounds.items()}
    if (('search_offset', 'eq') in found
            or (len(at) == 2 and at['--start'] >= at['--end'])):
        return {}
    return {rule: (option, instants.spelled(at[option], _AHEAD)[:-6])
            for option, rule in bounds.items()}


def _typed(question: Question, row: Mapping[str, str]
           ) -> Iterator[tuple[str, object]]:
    """What stands in the fields, as text, as what it is."""
    numbers = {*_NUMBERS, *_aggregates(question)}
    for name, text in row.items():
        if name in numbers:
            yield name, Decimal(text) if text else None
        elif name == 'metadata':
            yield name, json.loads(text)
        else:
            nothing = name in _NAMES or _INSTANT.search(name)
            yield name, text or (None if nothing else '')


def _failed(status: int) -> Said:
    assert status == exits.MISSING
    return Said(404, None)


def _words(question: Question) -> Iterator[str]:
    yield from _COMMANDS[question.kind]
    if question.name is not None:
        yield question.name
    if question.rules:
        yield '--query'
        yield ';'.join(map(_spelled, _filters(question)))
    for option in ('limit', 'period'):
        if (value := getattr(question, option)) is not None:
            yield f'--{option}'
            yield str(value)
    if question.unique:
        yield '--unique'
    for option, values in (('groupby', question.groupby),
                           ('aggregate', _aggregates(question))):
        for value in values:
            yield f'--{option}'
            yield value


def _as_api(question: Question, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a command as the API has it, in columns of other names."""
    found = {name: instants.show(instants.parse(value))
             if value and _INSTANT.search(name) else value
             for name, value in row.items()}
    match question.kind:
        case Kind.STATISTICS:
            found['groupby'] = {name: found[name]
                                for name in question.groupby} or None
            found['aggregate'] = {name: found[name] for name
                                  in _aggregates(question)} or None
            if question.aggregates:
                found |= dict.fromkeys(('count', 'min', 'max', 'avg', 'sum'))
        case Kind.RESOURCES | Kind.RESOURCE:
            own = urls.quote(found['resource_id'], safe='')
            found['links'] = [
                {'rel': 'self', 'href': f'/v2/resources/{own}'},
                *({'rel': meter, 'href': (
                    f'/v2/meters/{urls.quote(meter, safe="")}'
                    f'?q.field=resource_id&q.value={own}')}
                  for meter in found.get('meters', ()))]
    return found


def _spelled(rule: client.Filter) -> str:
    """As it is said after -q."""
    kind = f'{rule.type}::' if rule.type else ''
    value = filters.text(rule.value).replace(';', r'\;')
    return f'{rule.field}{rule.op}{kind}{value}'


def _filters(question: Question) -> list[client.Filter]:
    return [client.Filter(rule.field, _OPERATORS[rule.op], rule.value,
                          rule.type or None) for rule in question.rules]


def _aggregates(question: Question) -> list[str]:
    return [f'{function}/{param}' if param else function
            for function, param in question.aggregates]
