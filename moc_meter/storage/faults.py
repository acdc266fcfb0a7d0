# SPDX-License-Identifier: Apache-2.0
"""Which errors of a database say that the world is at fault, not we."""

from __future__ import annotations

import enum
import sqlite3

import psycopg
import pymysql
import sqlalchemy as sa


class Fault(enum.Enum):
    """Why a transaction failed that was right in itself."""

    COLLISION = 'collision'     # with another transaction: try it again
    LOST = 'lost'               # the database is away, full, or in a change
    LATE = 'late'               # it took too long, or was ended by hand


# Serialisation failure, deadlock, lock not available.
_PG_COLLISIONS = {'40001', '40P01', '55P03'}
_PG_LATE = {'57014'}
# Connection exceptions; insufficient resources; operator intervention (the
# server stops or starts); system errors; a primary that has become a standby;
# and a right that we lack.
_PG_LOST = ('08', '53', '57', '58', '25006', '42501')
# 1412: a partition was added after a reader's snapshot had begun.
_MARIADB_COLLISIONS = {1020, 1205, 1213, 1412}
# Too many connections; access denied or no such database; a right that we
# lack; disk full; the server stops; read only; connection was killed; lost.
_MARIADB_LOST = {1040, 1203, 1044, 1045, 1049, 1142, 1143, 1021, 1114, 1053,
                 1290, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
# Statement was killed, or timed out.
_MARIADB_LATE = {1317, 1969}
_SQLITE_COLLISIONS = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_LOST = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
                sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_SQLITE_LATE = {sqlite3.SQLITE_INTERRUPT}


#: What SQLAlchemy raises, and psycopg where we speak to it directly (COPY).
DATABASE_ERRORS = (sa.exc.SQLAlchemyError, psycopg.Error)


def fault(error: Exception) -> Fault | None:
    """What kind of fault it is; None where data or code are wrong."""
    if isinstance(error, sa.exc.TimeoutError):
        return Fault.LATE           # no connection of the pool became free
    cause: object = error
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return Fault.LOST
        cause = error.orig
    match cause:
        case psycopg.OperationalError(sqlstate=None):
            return Fault.LOST
        case psycopg.Error(sqlstate=str(state)):
            return _kind(state in _PG_COLLISIONS, state in _PG_LATE,
                         state.startswith(_PG_LOST))
        case pymysql.err.Error(args=(int(code), *_)):
            return _kind(code in _MARIADB_COLLISIONS, code in _MARIADB_LATE,
                         code in _MARIADB_LOST)
        case sqlite3.Error(sqlite_errorcode=int(code)):
            primary = code & 0xff
            return _kind(primary in _SQLITE_COLLISIONS,
                         primary in _SQLITE_LATE, primary in _SQLITE_LOST)
    return None


def _kind(collision: bool, late: bool, lost: bool) -> Fault | None:
    """The first one that it is."""
    for kind, is_it in ((Fault.COLLISION, collision), (Fault.LATE, late),
                        (Fault.LOST, lost)):
        if is_it:
            return kind
    return None
