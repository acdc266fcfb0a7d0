# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage statistics explain: where an answer comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from oslo_config import cfg

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import query
from moc_meter.api.v2.arguments import Rule
from moc_meter.cmd import build_store
from moc_meter.cmd.manage import arguments, output
from moc_meter.cmd.manage.arguments import Group
from moc_meter.model import period
from moc_meter.model import statistics as figures
from moc_meter.model.query import Selection
from moc_meter.model.statistics import Statistics
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import statistics
from moc_meter.storage.samples.statistics import Source

_OPERATORS = {'=': 'eq', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge'}
_RULE = re.compile(r'\s*(?P<field>[^<>=\s]+)\s*(?P<op><=|>=|=|<|>)\s*'
                   r'((?P<type>[a-z]+)::)?(?P<value>.*?)\s*', re.DOTALL)
#: An operator of the command sees everything.
_OPERATOR = Caller(project_id=None, user_id=None, limited=False,
                   service_url='')


def commands(group: Group) -> None:
    explain_ = group.add_command(
        'explain', explain,
        'Show which day cells, hour cells and raw samples make the statistics '
        'of a meter, what each gives, and whether the raw samples alone say '
        'the same. One JSON object a cell and unit, and one a unit at the '
        'end.',
        '0: the raw samples agree; 1: they do not, see rollup verify')
    explain_.add_argument('meter', metavar='METER')
    arguments.bounds(explain_)
    explain_.add_argument(
        '-q', '--query', default='', metavar='RULES',
        help="rules as the API has them: 'resource_id=a;metadata.size>="
             "integer::2'")


def explain(conf: cfg.ConfigOpts) -> int:
    """Status 1 where a cell is not what its samples say."""
    selection = _selection(conf.command.meter, conf.command.query,
                           conf.command.start, conf.command.end)
    found = transactions.inquire(
        build_store.engine(conf),
        lambda conn: statistics.sources(conn, selection))
    for source in found:
        print(output.line(_shown(source)))
    for total in _totals(found):
        print(output.line(total))
    return 0 if all(source.read == source.raw for source in found) else 1


def _selection(meter: str, text: str, start: object, end: object
               ) -> Selection:
    rules = [_rule(part) for part in text.split(';') if part.strip()]
    rules += [Rule('timestamp', op, str(bound), None)
              for op, bound in (('ge', start), ('lt', end)) if bound]
    return query.asked(rules, query.SAMPLES, _OPERATOR, meter).selection


def _rule(text: str) -> Rule:
    found = _RULE.fullmatch(text)
    if found is None:
        raise errors.InvalidQuery('a rule must be FIELD OPERATOR VALUE',
                                  rule=text, operators=list(_OPERATORS))
    return Rule(found['field'], _OPERATORS[found['op']], found['value'],
                found['type'])


def _shown(source: Source) -> dict[str, object]:
    """What a cell gave; what its raw samples say only where they differ."""
    agrees = source.read == source.raw
    return {'read': source.level.name.lower(), 'start': _instant(source.start),
            'end': _instant(source.end), 'unit': source.unit,
            **(output.figures(source.read) or {'count': 0}),
            'agrees': agrees,
            **({} if agrees else {'raw': output.figures(source.raw)})}


def _totals(found: Iterable[Source]) -> Iterator[dict[str, object]]:
    for unit in sorted({source.unit for source in found}):
        of = [source for source in found if source.unit == unit]
        answer = figures.merge(_some(source.read for source in of))
        raw = figures.merge(_some(source.raw for source in of))
        yield {'unit': unit, 'answer': output.figures(answer),
               'raw': output.figures(raw),
               'agrees': answer == raw and all(
                   source.read == source.raw for source in of)}


def _some(given: Iterable[Statistics | None]) -> Iterator[Statistics]:
    return (one for one in given if one is not None)


def _instant(microseconds: int | None) -> object:
    return None if microseconds is None else period.instant(microseconds)
