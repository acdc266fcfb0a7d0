# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage quarantine …: what was refused, and its way back."""

from __future__ import annotations

import argparse
import functools
import sys

import sqlalchemy as sa
from oslo_config import cfg

from moc_meter import errors
from moc_meter.cmd import build_store
from moc_meter.cmd.manage import arguments, output, release
from moc_meter.cmd.manage.arguments import Group
from moc_meter.progress import Progress
from moc_meter.storage import engine as transactions
from moc_meter.storage import quarantine
from moc_meter.storage.quarantine import Chosen, Kept
from moc_meter.terminal import harmless

_COLUMNS = ('id', 'received_at', 'origin', 'code', 'reason')
_WIDTHS = (8, 26, 18, 26)


def commands(group: Group) -> None:
    list_ = group.add_command('list', show_list,
                              'Show what was refused, oldest first.')
    _filters(list_)
    arguments.bounds(list_, ', of the time when it was received')
    list_.add_argument('--json', action='store_true',
                       help='one JSON object a row instead of a table')
    show_ = group.add_command(
        'show', show, 'Show why something was refused, and then, after an '
        'empty line, its bytes as they came.')
    show_.add_argument('id', type=arguments.row)
    release_ = group.add_command(
        'release', put_back,
        'Put rows back through admission into the store. What is stored '
        'leaves the quarantine in the same transaction; what is refused '
        'again stays, with the new reason. One JSON object a row.',
        '0: all were stored; 1: one stays in quarantine')
    release_.add_argument('ids', nargs='*', type=arguments.row, metavar='ID')
    _filters(release_)
    purge_ = group.add_command(
        'purge', purge, 'Remove rows for ever; says how many as JSON.')
    _filters(purge_)
    purge_.add_argument(
        '--before', type=arguments.instant, metavar='INSTANT',
        help='only what was received before this instant')
    purge_.add_argument('--dry-run', action='store_true',
                        help='only say how many it would be')
    arguments.confirmation(purge_)


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--code', help='only with this code, as list shows')
    parser.add_argument('--origin', help='only of this origin')


def show_list(conf: cfg.ConfigOpts) -> int:
    asked = conf.command
    start, end = arguments.between(asked)
    chosen = Chosen(code=asked.code, origin=asked.origin, start=start,
                    end=end)
    with transactions.reading(build_store.checked_engine(conf)) as conn:
        if not asked.json:
            print(output.row(_COLUMNS, _WIDTHS))
        for kept in quarantine.rows(conn, chosen):
            facts = _facts(kept)
            print(output.line({**facts, 'source': kept.refused.source,
                               'bytes': len(kept.refused.content)})
                  if asked.json else output.row([*facts.values()], _WIDTHS))
    return 0


def show(conf: cfg.ConfigOpts) -> int:
    with transactions.reading(build_store.checked_engine(conf)) as conn:
        kept = quarantine.find(conn, conf.command.id)
    if kept is None:
        raise _gone(conf.command.id)
    facts = {**_facts(kept), 'source': kept.refused.source or ''}
    for name, value in facts.items():
        print(f'{name}: {harmless(str(value))}')
    print(flush=True)
    content = kept.refused.content
    if sys.stdout.isatty():
        print(harmless(content.decode(errors='backslashreplace')))
    else:
        sys.stdout.buffer.write(content)
    return 0


def put_back(conf: cfg.ConfigOpts) -> int:
    """Status 1 where a row stays, or is not there."""
    asked = conf.command
    if not (asked.ids or asked.code or asked.origin):
        raise errors.InvalidConfiguration(
            'say which rows: by their ids, --code or --origin')
    if asked.ids and (asked.code or asked.origin):
        raise errors.InvalidConfiguration(
            'say either ids, or --code and --origin')
    engine = build_store.checked_engine(conf)
    back = release.Release(conf, engine)
    stays = 0
    for number in asked.ids or _named(engine, asked.code, asked.origin):
        said: dict[str, object] = {'id': number}
        try:
            written = back.put(number)
        except errors.MeterError as fault:
            if fault.retryable:
                raise
            stays += 1
            said |= {'released': False, 'code': fault.code,
                     'reason': str(fault)}
        else:
            said |= {'released': True, 'stored': written.stored,
                     'duplicate': written.duplicates}
        print(output.line(said), flush=True)
    return 1 if stays else 0


def _named(engine: sa.Engine, code: str | None, origin: str | None
           ) -> list[int]:
    """Raises NotFound where no row has the code, or the origin."""
    for column, value in (('code', code), ('origin', origin)):
        known = transactions.inquire(
            engine, functools.partial(quarantine.known, column=column))
        if value is not None and value not in known:
            raise errors.NotFound(f'nothing in quarantine has this {column}',
                                  value=value, known=known)
    return _ids(engine, Chosen(code=code, origin=origin))


def purge(conf: cfg.ConfigOpts) -> int:
    asked = conf.command
    chosen = Chosen(code=asked.code, origin=asked.origin, end=asked.before)
    engine = build_store.checked_engine(conf)
    if asked.dry_run:
        print(output.line({'purged': 0,
                           'would_purge': len(_ids(engine, chosen))}))
        return 0
    arguments.confirmed(asked, 'remove rows of the quarantine for ever')
    print(output.line({'purged': _purged(engine, chosen)}))
    return 0


def _purged(engine: sa.Engine, chosen: Chosen) -> int:
    """A few rows at a time; what comes in meanwhile is left alone."""
    after, last = transactions.inquire(engine, quarantine.bounds)
    purged = 0
    with Progress(last - after) as progress:
        while after < last:
            count, until = transactions.transact(engine, functools.partial(
                quarantine.purge, chosen=chosen, after=after, last=last))
            purged += count
            progress.advance(until - after)
            after = until
    return purged


def _ids(engine: sa.Engine, chosen: Chosen) -> list[int]:
    return transactions.inquire(
        engine, lambda conn: quarantine.ids(conn, chosen))


def _facts(kept: Kept) -> dict[str, object]:
    """What is shown of a row, in the order of the columns."""
    return {'id': kept.id, 'received_at': kept.received_at,
            'origin': kept.refused.origin, 'code': kept.refused.code,
            'reason': kept.refused.reason}


def _gone(number: int) -> errors.NotFound:
    return errors.NotFound(
        'no such row in quarantine; see moc-meter-manage quarantine list',
        id=number)
