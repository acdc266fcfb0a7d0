# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage statistics explain: where an answer comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
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
from moc_meter.model.query import Selection, StatisticsQuestion
from moc_meter.model.statistics import Statistics
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import dropped, holes, statistics
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.samples.statistics import Source

_OPERATORS = {'=': 'eq', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge'}
_RULE = re.compile(r'\s*(?P<field>[^<>=\s]+)\s*(?P<op><=|>=|=|<|>)\s*'
                   r'((?P<type>[a-z]+)::)?(?P<value>.*?)\s*', re.DOTALL)
#: An operator of the command sees everything.
_OPERATOR = Caller(project_id=None, user_id=None, sees_all=True,
                   service_url='')


def commands(group: Group) -> None:
    explain_ = group.add_command(
        'explain', explain,
        'Show which cells of months, days and hours, and which raw samples, '
        'make the statistics of a meter, what each gives, and whether the raw '
        'samples alone say the same. One JSON object a cell and unit, and one '
        'a unit at the end. Where the raw samples were dropped, nobody can '
        'say whether they agree: null. What the API would refuse is refused.',
        '0: the raw samples agree, as far as they are kept; 1: they do not, '
        'see rollup verify')
    explain_.add_argument('meter', metavar='METER')
    arguments.bounds(explain_)
    explain_.add_argument(
        '-q', '--query', default='', metavar='RULES',
        help="rules as the API has them: 'resource_id=a;metadata.size>="
             "integer::2'")


def explain(conf: cfg.ConfigOpts) -> int:
    """Status 1 where a cell is not what its samples say."""
    asked = conf.command
    selection = _selection(asked.meter, asked.query,
                           *arguments.between(asked))
    engine = build_store.checked_engine(conf)
    found = transactions.inquire(
        engine, lambda conn: statistics.sources(conn, selection))
    border = transactions.inquire(
        engine, lambda conn: _border(conn, selection))
    if not found:
        print(output.line({
            'meter': asked.meter,
            'reason': 'no sample of this meter fits the rules and bounds'}))
    for source in found:
        print(output.line(_shown(source, border)))
    for total in _totals(found, border):
        print(output.line(total))
    return 1 if any(_agrees(source, border) is False for source in found
                    ) else 0


def _border(conn: sa.Connection, selection: Selection) -> int:
    """Up to where samples are dropped; asked after the sources were read.

    Raises InvalidQuery where the API would refuse the question.
    """
    holes.in_statistics(conn, StatisticsQuestion(selection=selection))
    return dropped.border(conn)


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


def _agrees(source: Source, border: int) -> bool | None:
    """Whether raw samples say the same; None where they are dropped.

    Of a day or an hour all are dropped, of a month perhaps some, which then
        are no more of a proof; see rollups.verify(). An edge that reaches
        below the border had no samples there, or would have been refused.
    """
    if (source.level is not Level.RAW and source.start is not None
            and source.start < border):
        return None
    return source.read == source.raw


def _shown(source: Source, border: int) -> dict[str, object]:
    """What a cell gave; what its raw samples say only where they differ."""
    agrees = _agrees(source, border)
    return {'read': source.level.name.lower(), 'start': _instant(source.start),
            'end': _instant(source.end), 'unit': source.unit,
            **(output.figures(source.read) or {'count': 0}),
            'agrees': agrees,
            **({'raw': output.figures(source.raw)} if agrees is False
               else {})}


def _totals(found: Iterable[Source], border: int
            ) -> Iterator[dict[str, object]]:
    for unit in sorted({source.unit for source in found}):
        of = [source for source in found if source.unit == unit]
        answers = [_agrees(source, border) for source in of]
        unknown = answers.count(None)
        yield {'unit': unit,
               'answer': output.figures(figures.merge(
                   _some(source.read for source in of))),
               'raw': output.figures(figures.merge(
                   _some(source.raw for source in of))),
               'agrees': (False if False in answers
                          else None if unknown else True),
               **({'dropped_cells': unknown, 'kept_from': _instant(border)}
                  if unknown else {})}


def _some(given: Iterable[Statistics | None]) -> Iterator[Statistics]:
    return (one for one in given if one is not None)


def _instant(microseconds: int | None) -> object:
    return None if microseconds is None else period.instant(microseconds)
