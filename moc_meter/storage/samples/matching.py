# SPDX-License-Identifier: Apache-2.0
"""Which samples an expression means, as SQL; see model/expression.py."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import metadata, period, quantity
from moc_meter.model.expression import (
    OF_SERIES,
    Among,
    Column,
    Compare,
    Either,
    Every,
    Expression,
    Not,
    Op,
    Path,
    Value,
)
from moc_meter.model.sample import MeterKind
from moc_meter.storage import dialect, faults
from moc_meter.storage.samples import resources
from moc_meter.storage.samples.cells import sample
from moc_meter.storage.tables import samples as tables

_Condition = sa.ColumnElement[bool]
_SQL: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq, Op.NE: operator.ne, Op.LT: operator.lt,
    Op.LE: operator.le, Op.GT: operator.gt, Op.GE: operator.ge,
    Op.MATCH: dialect.matches}
#: What the grid of stored volumes holds between: other comparisons with a
#: value that lies between two of them say the same as these with the lower.
_BETWEEN = {Op.LT: Op.LE, Op.LE: Op.LE, Op.GT: Op.GT, Op.GE: Op.GT}
_STRICT = {Op.LE: Op.LT, Op.GE: Op.GT}
#: Larger in magnitude than any volume.
_BEYOND = Decimal(10) ** 28


def check(conn: sa.Connection, pattern: str) -> None:
    """Raise InvalidQuery where the database does not know the pattern."""
    try:
        conn.execute(sa.select(dialect.matches(sa.literal(''), pattern)))
    except sa.exc.DBAPIError as error:
        if faults.fault(error) is not None:
            raise
        raise errors.InvalidQuery(
            'the regular expression is invalid', expression=pattern) from None


def condition(conn: sa.Connection, expression: Expression) -> _Condition:
    """What a sample that is joined with its series must fulfil."""
    match expression:
        case Every(parts):
            return sa.and_(*(condition(conn, part) for part in parts))
        case Either(parts):
            return sa.or_(*(condition(conn, part) for part in parts))
        case Not(part):
            return ~condition(conn, part)
        case Among(subject, values):
            return _among(conn, subject, values)
        case Compare(subject, op, value):
            found: _Condition = _compare(conn, subject, op, value)
            return found


def series(conn: sa.Connection, expression: Expression) -> _Condition:
    """What the series of such a sample must fulfil at least.

    expression: with negations inward.
    """
    match expression:
        case Every(parts):
            return sa.and_(*(series(conn, part) for part in parts))
        case Either(parts):
            return sa.or_(*(series(conn, part) for part in parts))
        case (Not(Compare(subject) | Among(subject))
              | Compare(subject) | Among(subject)) if subject in OF_SERIES:
            return condition(conn, expression)
        case _:
            return sa.true()


def column(of: Column) -> sa.ColumnElement[Any]:
    """What a sample that is joined with its series says."""
    match of:
        case Column.VOLUME | Column.TIMESTAMP | Column.RECORDED_AT:
            return sample.c[of.value]
        case Column.MESSAGE:
            return sa.func.coalesce(sample.c.message_id,
                                    dialect.hexadecimal(sample.c.key))
        case Column.KIND:       # an event counts like a delta of 1
            kind = tables.series.c.kind
            return sa.case((kind == MeterKind.EVENT.value,
                            MeterKind.DELTA.value), else_=kind)
        case Column.SIGNATURE:
            return sa.null()
    return tables.series.c[of.value]


def _compare(conn: sa.Connection, subject: Column | Path, op: Op,
             value: Value) -> Any:
    match subject, value:
        case Path(path), (kind, text):
            return _metadata(conn, path, op, kind, text)
        case Column.VOLUME, Decimal():
            return _volume(op, value)
        case Column(), datetime.datetime():
            return _SQL[op](column(subject), period.microseconds(value))
        case Column.SIGNATURE, str():
            return sa.false()
        case Column(), str():
            return sa.func.coalesce(_SQL[op](column(subject), value),
                                    sa.false())
    raise TypeError(f'{subject!r} is not compared with {value!r}')


def _among(conn: sa.Connection, subject: Column | Path,
           values: Sequence[Value]) -> _Condition:
    if isinstance(subject, Path):
        digests = [resources.path_digest(subject.path, *value)
                   for value in values if isinstance(value, tuple)]
        return _with_digest(conn, digests)
    if subject is Column.SIGNATURE:
        return sa.false()
    of = column(subject)
    wanted = [period.microseconds(value)
              if isinstance(value, datetime.datetime) else value
              for value in values
              if not isinstance(value, Decimal) or _on_grid(value)]
    return sa.func.coalesce(of.in_(wanted), sa.false())


def _on_grid(value: Decimal) -> bool:
    """Whether a stored volume can be equal to it."""
    return value.copy_abs() <= _BEYOND and quantity.floor(value) == value


def _with_digest(conn: sa.Connection, digests: Sequence[bytes]) -> _Condition:
    of = tables.metadata_path.c
    return sample.c.metadata_id.in_(dialect.ids(
        conn, sa.select(of.metadata_id).distinct()
        .where(of.digest.in_(digests))))


def _volume(op: Op, value: Decimal) -> Any:
    """Compared on the grid of what is stored, which its column is for."""
    if value.copy_abs() > _BEYOND:
        value = _BEYOND.copy_sign(value)
    lower = quantity.floor(value)
    if lower != value:
        if op in (Op.EQ, Op.NE):
            return sa.true() if op is Op.NE else sa.false()
        op = _BETWEEN[op]
    return _SQL[op](sample.c.volume, lower)


def _metadata(conn: sa.Connection, path: str, op: Op, kind: str,
              text: str) -> _Condition:
    at = tables.metadata_path.alias()
    digest = resources.path_digest(path, kind, text)
    if op is Op.EQ:
        return _with_digest(conn, [digest])
    if op is Op.NE:
        rule: _Condition = at.c.digest != digest
    else:
        ordered = _ordered(at, op, kind, text)
        if op in (Op.LE, Op.GE):
            ordered |= at.c.digest == digest
        # Else a text might be read as a number before it is left out.
        rule = sa.case((at.c.kind == kind, ordered), else_=sa.false())
    return sa.exists().where(at.c.metadata_id == sample.c.metadata_id,
                             at.c.path == path, rule)


def _ordered(at: sa.FromClause, op: Op, kind: str, text: str) -> Any:
    """Whether a value of the kind is less, is greater or matches."""
    if kind != metadata.NUMBER:
        return _SQL[_STRICT.get(op, op)](at.c.value, text)
    two = at.c.value, sa.literal(text)
    return dialect.number_less(*(
        two if op in (Op.LT, Op.LE) else two[::-1]))
