"""What a program may have the judge's SQLite do for it: no files, no code of its own, and nothing without end.

SQLite runs in the judge, with the judge's rights, so that a statement is as much as a call into it:
https://www.sqlite.org/security.html
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_WORK: Final = 20_000_000  # instructions of SQLite's virtual machine for one statement: about a second
MOST_FETCHED: Final = 32_000_000  # bytes of one result
ROW: Final = 100  # bytes that a row costs beside its values
NUMBER: Final = 8  # bytes of a value that is neither text nor a blob
MOST_LENGTH: Final = 16_000_000  # bytes of one value
LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_LENGTH,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
FORBIDDEN: Final = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
"""Both can name files to write, and ATTACH is what VACUUM INTO is made of."""
FUNCTIONS: Final = {"load_extension", "fts3_tokenizer"}
PRAGMAS: Final = {
    "application_id", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "case_sensitive_like",
    "collation_list", "compile_options", "count_changes", "data_version", "database_list", "defer_foreign_keys",
    "encoding", "foreign_key_check", "foreign_key_list", "foreign_keys", "freelist_count", "full_column_names",
    "function_list", "incremental_vacuum", "index_info", "index_list", "index_xinfo", "integrity_check",
    "journal_mode", "legacy_alter_table", "locking_mode", "module_list", "optimize", "page_count", "page_size",
    "pragma_list", "query_only", "quick_check", "read_uncommitted", "recursive_triggers", "reverse_unordered_selects",
    "schema_version", "secure_delete", "short_column_names", "synchronous", "table_info", "table_list", "table_xinfo",
    "user_version", "wal_autocheckpoint", "wal_checkpoint",
}  # fmt: skip
"""Those that read, or set what concerns the one connection or database; none of memory, directories or the schema."""


def bound(connection: sqlite3.Connection) -> None:
    """Hold a connection's statements within bounds; what lies beyond is a `sqlite3.Error` for whoever asked."""
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(_authorise)


def fetch(cursor: sqlite3.Cursor) -> tuple[list[tuple[object, ...]], int]:
    """Return the rows of a statement, and how many bytes they hold. Raises `DataError` when they are too many."""
    rows: list[tuple[object, ...]] = []
    size = 0
    while piece := cursor.fetchmany(100):
        rows += piece
        size += size_of(piece)
        if size + len(rows) * ROW > MOST_FETCHED:
            raise sqlite3.DataError(f"the result is larger than {MOST_FETCHED // 1_000_000} MB")
    return rows, size


def size_of(rows: Iterable[Iterable[object]]) -> int:
    """Return about how many bytes rows of values hold."""
    return sum(len(value) if isinstance(value, str | bytes) else NUMBER for row in rows for value in row)


def _authorise(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Say whether a statement may do a thing: https://www.sqlite.org/c3ref/c_alter_table.html."""
    refused = (
        action in FORBIDDEN
        or (action == sqlite3.SQLITE_FUNCTION and second in FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in PRAGMAS)
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK
