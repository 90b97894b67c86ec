"""SQLite's error messages without values of rows, because a failing statement must not leak data.

| error | message |
| --- | --- |
| a constraint, by its error code | unchanged: it names the constraint, the table and its columns |
| RAISE in a trigger | unchanged if it is a literal in the trigger, because SQLite 3.47 evaluates expressions there |
| compile error | unchanged: it can quote only the SQL and the schema |
| a fixed text of SQLite (`FIXED`) | unchanged |
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
"""Their messages contain only names: https://www.sqlite.org/rescode.html#extrc."""
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
"""Messages of Python's sqlite3 module, raised before the statement runs."""


def without_data(error: Exception, connection: sqlite3.Connection, sql: str) -> str:
    """Return the message of an error that `sql` raised on this connection, without values of rows."""
    message = str(error)
    if not _is_without_data(error, message, connection, sql):
        name = _name_of(error)
        message = f"the statement failed while it ran ({name}); its message is withheld because it can contain data"
    return truncate(message, MOST_MESSAGE)


def _is_without_data(error: Exception, message: str, connection: sqlite3.Connection, sql: str) -> bool:
    if FIXED.fullmatch(message):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by Python's sqlite3 module, not by SQLite
        return not isinstance(error, sqlite3.Error) or BY_PYTHON.fullmatch(message) is not None
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return _is_in_a_trigger(message, connection)
    return code in CONSTRAINTS or _compiling_raises(message, connection, sql)


def _compiling_raises(message: str, connection: sqlite3.Connection, sql: str) -> bool:
    """Return whether compiling the statement raises the same message; EXPLAIN compiles it without running it."""
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
