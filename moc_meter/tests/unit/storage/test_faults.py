# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3

import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from moc_meter.storage.faults import Fault, fault


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError('said')
    error.sqlite_errorcode = code
    return error


def of_server(error: Exception) -> sa.exc.DBAPIError:
    return sa.exc.DBAPIError('SELECT', {}, error)


@pytest.mark.parametrize(('cause', 'kind'), [
    (psycopg.errors.DeadlockDetected(), Fault.COLLISION),
    (psycopg.errors.SerializationFailure(), Fault.COLLISION),
    (psycopg.OperationalError('connection refused'), Fault.LOST),
    (psycopg.errors.AdminShutdown(), Fault.LOST),
    (psycopg.errors.TooManyConnections(), Fault.LOST),
    (psycopg.errors.DiskFull(), Fault.LOST),
    (psycopg.errors.QueryCanceled(), Fault.LATE),
    (psycopg.errors.InsufficientPrivilege(), Fault.LOST),
    (psycopg.errors.UniqueViolation(), None),
    (psycopg.errors.NumericValueOutOfRange(), None),
    (psycopg.errors.UndefinedTable(), None),
    (pymysql.err.OperationalError(1213, 'deadlock'), Fault.COLLISION),
    (pymysql.err.OperationalError(1205, 'lock wait'), Fault.COLLISION),
    (pymysql.err.OperationalError(1412, 'new partition'), Fault.COLLISION),
    (pymysql.err.OperationalError(1142, 'ALTER denied'), Fault.LOST),
    (pymysql.err.OperationalError(1969, 'max_statement_time'), Fault.LATE),
    (pymysql.err.OperationalError(2003, 'no connection'), Fault.LOST),
    (pymysql.err.OperationalError(2013, 'lost'), Fault.LOST),
    (pymysql.err.DataError(1264, 'out of range'), None),
    (pymysql.err.ProgrammingError(1146, 'no such table'), None),
    (of_sqlite(sqlite3.SQLITE_BUSY), Fault.COLLISION),
    (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Fault.COLLISION),
    (of_sqlite(sqlite3.SQLITE_INTERRUPT), Fault.LATE),
    (of_sqlite(sqlite3.SQLITE_FULL), Fault.LOST),
    (of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), Fault.LOST),
    (of_sqlite(sqlite3.SQLITE_ERROR), None),
    (ValueError('ours'), None)], ids=repr)
def test_an_error_is_of_its_kind(cause: Exception,
                                 kind: Fault | None) -> None:
    assert fault(of_server(cause)) is kind
    if isinstance(cause, psycopg.Error):    # its driver is asked directly, too
        assert fault(cause) is kind


def test_a_copy_that_lost_its_connection_is_seen_too() -> None:
    assert fault(psycopg.OperationalError('gone')) is Fault.LOST


def test_a_pool_that_is_used_up_is_not_waited_for_twice() -> None:
    assert fault(sa.exc.TimeoutError()) is Fault.LATE
