"""Limits on the SUT's use of SQLite: no files, no extensions, bounded time and memory.

| resource | limit | beyond it |
| --- | --- | --- |
| length of a statement, a value, a row | `MOST_LENGTH` | SQL error |
| work of a statement | `MOST_WORK`, `SOFT_SECONDS` of processor time | SQL error |
| bytes of a result | `MOST_FETCHED` | SQL error |
| pages of a database | `MOST_PAGES` | SQL error |
| processor time of a statement of any kind | `MOST_SECONDS` | the server ends, and the check with it |
| memory of the server | `MOST_MEMORY` | the server ends, and the check with it |
| recorded statements and SQL texts | `MOST_STATEMENTS`, `MOST_TEXTS` | the server ends, and the check with it |

The first four limits stop ordinary mistakes, but not every statement: one `instr` is one instruction of any duration,
and SQLite compiles long statements without checking the time: https://www.sqlite.org/security.html
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MIB: Final = 1 << 20
MOST_WORK: Final = 20_000_000  # instructions of SQLite's virtual machine for one statement
SOFT_SECONDS: Final = 0.6  # of processor time for one statement
MOST_SECONDS: Final = 0.9  # the same, measured for the server's thread every TICK
TICK: Final = 0.05  # seconds
MOST_WAIT: Final = 60.0  # seconds of wall time for one statement; exceeded only on a busy machine
CPU_LIMIT_SECONDS: Final = 10  # of processor time of the whole server between two readings
MOST_MEMORY: Final = 448 * MIB  # private memory of the server; its code takes the rest of 512 MiB
MOST_PAGES: Final = 16_384  # of 4 KiB by default
MOST_FETCHED: Final = 32_000_000  # bytes of one result
MOST_STATEMENTS: Final = 300_000  # in one check
MOST_TEXTS: Final = 32_000_000  # bytes of different SQL texts in one check
LOCK_SECONDS: Final = 2.0  # how long a statement waits for another connection's lock
MOST_REQUEST: Final = 4_000_000  # bytes of a statement with its parameters, as JSON
MOST_CONNECTIONS: Final = 200  # at once; each has a thread in the server
MOST_FILES: Final = 1_024
STACK: Final = MIB  # bytes for a thread
ROW: Final = 100  # bytes of a row on top of its values
NUMBER: Final = 8  # bytes of a value that is neither text nor a blob
MOST_LENGTH: Final = 256_000  # bytes of one statement, value or row
LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_LENGTH,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: MOST_LENGTH,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
FORBIDDEN: Final = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
"""Both can write to files, and VACUUM INTO uses ATTACH."""
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
"""The pragmas that only read, or that affect one connection or database; none for memory, directories or the schema."""


def connect(uri: str) -> sqlite3.Connection:
    """Return a connection to a database of this process. Statements beyond the limits raise `sqlite3.Error`."""
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    connection.execute("PRAGMA temp_store = MEMORY").close()  # because SQLite would sort in files
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(_authorize)
    return connection


def bound_pages(connection: sqlite3.Connection) -> bool:
    """Limit the size of the database; return False if another connection holds a lock."""
    connection.set_authorizer(None)
    connection.execute("PRAGMA busy_timeout = 0").close()
    try:
        connection.execute(f"PRAGMA max_page_count = {MOST_PAGES}").close()
    except sqlite3.OperationalError:
        return False
    else:
        return True
    finally:
        connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000:.0f}").close()
        connection.set_authorizer(_authorize)


def bound_process() -> None:
    """Set the resource limits of this process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for what, most in {
        resource.RLIMIT_DATA: MOST_MEMORY,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: MOST_FILES if files == resource.RLIM_INFINITY else min(files, MOST_FILES),
    }.items():
        with contextlib.suppress(ValueError, OSError):  # the limit is lower already
            resource.setrlimit(what, (most, most))


def postpone_cpu_limit() -> None:
    """Make the kernel kill this process after `CPU_LIMIT_SECONDS` more, even if one thread blocks all others."""
    soft, hard = int(time.process_time()) + CPU_LIMIT_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


class Work:
    """Counts the instructions of a connection's statements, and interrupts a statement that exceeds a limit."""

    UNIT: Final = 5  # instructions of SQLite's virtual machine per call of the progress handler
    CLOCK_INTERVAL: Final = 10_000  # instructions between two readings of the clock

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.done = 0  # instructions of this statement
        self._check_at = self.CLOCK_INTERVAL
        self._began = 0.0
        connection.set_progress_handler(self._count(), self.UNIT)

    def begin(self) -> None:
        """Start counting a new statement."""
        self.done, self._check_at, self._began = 0, self.CLOCK_INTERVAL, 0.0

    def _count(self) -> Callable[[], int]:
        unit = self.UNIT

        def count() -> int:
            self.done += unit
            return 0 if self.done < self._check_at else self._check()

        return count

    def _check(self) -> int:
        now = time.thread_time()
        self._began = self._began or now
        self._check_at += self.CLOCK_INTERVAL
        return int(self.done > MOST_WORK or now - self._began > SOFT_SECONDS)


def fetch(cursor: sqlite3.Cursor) -> tuple[list[tuple[object, ...]], int]:
    """Return the rows of a statement and their size in bytes. Raises `DataError` beyond `MOST_FETCHED`."""
    rows: list[tuple[object, ...]] = []
    size = 0
    while piece := cursor.fetchmany(100):
        rows += piece
        size += size_of(piece)
        if size + len(rows) * ROW > MOST_FETCHED:
            raise sqlite3.DataError(f"the result is larger than {MOST_FETCHED // 1_000_000} MB")
    return rows, size


def size_of(rows: Iterable[Iterable[object]]) -> int:
    """Return the approximate size of rows in bytes."""
    return sum(len(value) if isinstance(value, str | bytes) else NUMBER for row in rows for value in row)


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Return SQLite's code for whether a statement may perform an action: https://www.sqlite.org/c3ref/c_alter_table.html."""
    refused = (
        action in FORBIDDEN
        or (action == sqlite3.SQLITE_FUNCTION and second in FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in PRAGMAS)
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK
