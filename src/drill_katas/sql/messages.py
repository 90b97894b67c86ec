"""Error messages of SQLite without the values of rows: a statement that fails on purpose must carry no data out.

| error | message |
| --- | --- |
| a constraint, by its code | kept: it names the constraint, the table and its columns |
| RAISE in a trigger | kept if the trigger has it as a literal: SQLite 3.47 and later evaluate an expression there |
| one that compiling the statement raises, without a row read | kept: it can quote the SQL and the schema only |
| a fixed text of SQLite's (`FIXED`) | kept |
| any other | replaced |
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import Final

from drill_katas.text import truncate

MOST_MESSAGE: Final = 500  # characters
CONSTRAINTS: Final = {
    sqlite3.SQLITE_CONSTRAINT_CHECK,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT | 12 << 8,  # SQLITE_CONSTRAINT_DATATYPE, which sqlite3 does not name
}
"""Their messages consist of names: https://www.sqlite.org/rescode.html#extrc."""
FIXED: Final = re.compile(
    r"database (table |schema )?is locked(: \w+)?|database schema has changed|interrupted|not authorized"
    r"|authorization denied|attempt to write a readonly database"
    r"|string or blob too big|out of memory|database or disk is full|disk I/O error"
    r"|datatype mismatch|integer overflow|malformed JSON|the result is larger than \d+ MB"
    r"|cannot (start a transaction within a transaction|(commit|rollback) - no transaction is active|[A-Z]+ from within"
    r" a transaction)|no such savepoint: \w+|Incorrect number of bindings supplied\. [\w ,]+\."
)
BY_PYTHON: Final = re.compile(
    r"You (can only execute|did not supply) .*|Error binding parameter .*|Cannot operate on a closed database\."
    r"|the query contains a null character|query string is too large"
)
"""Raised before the statement runs."""


def without_data(error: Exception, connection: sqlite3.Connection, sql: str) -> str:
    """Return the message of an error that `sql` has raised on this connection, without the values of rows."""
    message = str(error)
    if not _is_without_data(error, message, connection, sql):
        message = f"the statement failed while it ran ({_name_of(error)}); its message is withheld: it can carry data"
    return truncate(message, MOST_MESSAGE)


def _is_without_data(error: Exception, message: str, connection: sqlite3.Connection, sql: str) -> bool:
    if FIXED.fullmatch(message):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by Python's own module
        return not isinstance(error, sqlite3.Error) or BY_PYTHON.fullmatch(message) is not None
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return _is_in_a_trigger(message, connection)
    return code in CONSTRAINTS or _compiling_raises(message, connection, sql)


def _compiling_raises(message: str, connection: sqlite3.Connection, sql: str) -> bool:
    """Whether the statement fails so without being run: EXPLAIN compiles it and lists its program."""
    try:
        connection.execute(f"EXPLAIN {sql}").close()
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", None) is not None and str(error) == message
    return False


def _is_in_a_trigger(message: str, connection: sqlite3.Connection) -> bool:
    literal = "'" + message.replace("'", "''") + "'"
    for schema in ("sqlite_schema", "sqlite_temp_schema"):
        with contextlib.suppress(sqlite3.Error):
            triggers = connection.execute(f"SELECT sql FROM {schema} WHERE type = 'trigger'").fetchall()  # noqa: S608
            if any(literal in sql for (sql,) in triggers):
                return True
    return False


def _name_of(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", "") or type(error).__name__)
