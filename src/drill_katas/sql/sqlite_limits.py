"""Bounds on what a SUT may have SQLite do: no files, no code of its own, and nothing without end.

| what | bound | beyond it |
| --- | --- | --- |
| length of a statement, a value, a row | `MOST_LENGTH` | SQL error |
| work of a statement | `MOST_WORK`, `SOFT_SECONDS` of processor time | SQL error |
| bytes of a result | `MOST_FETCHED` | SQL error |
| pages of a database | `MOST_PAGES` | SQL error |
| processor time of a statement, whatever it does | `MOST_SECONDS` | the server ends, and the check with it |
| memory of the server | `MOST_MEMORY` | the server ends, and the check with it |
| statements and SQL texts that are kept | `MOST_STATEMENTS`, `MOST_TEXTS` | the server ends, and the check with it |

The first four are for ordinary mistakes. They do not reach all: one `instr` is one instruction, however long it takes,
and SQLite compiles long statements without a look at the clock: https://www.sqlite.org/security.html
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
MOST_SECONDS: Final = 0.9  # the same, of the server's thread; it is looked at every TICK
TICK: Final = 0.05  # seconds
MOST_WAIT: Final = 60.0  # seconds by the clock for one statement, on a machine that is far too busy
CPU_LIMIT_SECONDS: Final = 10  # of processor time of the whole server between two looks
MOST_MEMORY: Final = 448 * MIB  # private memory of the server; its program is in the rest of 512 MiB
MOST_PAGES: Final = 16_384  # of 4 KiB by default
MOST_FETCHED: Final = 32_000_000  # bytes of one result
MOST_STATEMENTS: Final = 300_000  # in one check
MOST_TEXTS: Final = 32_000_000  # bytes of different SQL texts in one check
LOCK_SECONDS: Final = 2.0  # how long a statement waits for another connection's lock
MOST_REQUEST: Final = 4_000_000  # bytes of a statement with its parameters, as JSON
MOST_CONNECTIONS: Final = 200  # at once; each has a thread of the server's
MOST_FILES: Final = 1_024
STACK: Final = MIB  # bytes for a thread
ROW: Final = 100  # bytes that a row costs beside its values
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


def connect(uri: str) -> sqlite3.Connection:
    """Return a connection to a database of this process. Statements beyond its bounds raise `sqlite3.Error`."""
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    connection.execute("PRAGMA temp_store = MEMORY").close()  # else SQLite sorts in files
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(_authorise)
    return connection


def bound_pages(connection: sqlite3.Connection) -> bool:
    """Bound the size of the database; return False if another connection's lock is in the way now."""
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
        connection.set_authorizer(_authorise)


def bound_process() -> None:
    """Bound what this process may use, whatever SQLite does in it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for what, most in {
        resource.RLIMIT_DATA: MOST_MEMORY,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: MOST_FILES if files == resource.RLIM_INFINITY else min(files, MOST_FILES),
    }.items():
        with contextlib.suppress(ValueError, OSError):  # lower already
            resource.setrlimit(what, (most, most))


def postpone_cpu_limit() -> None:
    """Let the kernel end this process after so much more processor time: a thread that blocks all others, too."""
    soft, hard = int(time.process_time()) + CPU_LIMIT_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


class Work:
    """Counts what a connection's statements cost, and interrupts one that costs too much."""

    UNIT: Final = 5  # instructions of SQLite's virtual machine between two counts
    LOOK: Final = 10_000  # instructions between two looks at the clock

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.done = 0  # instructions of this statement
        self._look_at = self.LOOK
        self._began = 0.0
        connection.set_progress_handler(self._count(), self.UNIT)

    def begin(self) -> None:
        """Begin a statement."""
        self.done, self._look_at, self._began = 0, self.LOOK, 0.0

    def _count(self) -> Callable[[], int]:
        unit = self.UNIT

        def count() -> int:
            self.done += unit
            return 0 if self.done < self._look_at else self._look()

        return count

    def _look(self) -> int:
        now = time.thread_time()
        self._began = self._began or now
        self._look_at += self.LOOK
        return int(self.done > MOST_WORK or now - self._began > SOFT_SECONDS)


def fetch(cursor: sqlite3.Cursor) -> tuple[list[tuple[object, ...]], int]:
    """Return the rows of a statement, and how many bytes they have. Raises `DataError` when they are too many."""
    rows: list[tuple[object, ...]] = []
    size = 0
    while piece := cursor.fetchmany(100):
        rows += piece
        size += size_of(piece)
        if size + len(rows) * ROW > MOST_FETCHED:
            raise sqlite3.DataError(f"the result is larger than {MOST_FETCHED // 1_000_000} MB")
    return rows, size


def size_of(rows: Iterable[Iterable[object]]) -> int:
    """Return about how many bytes rows of values have."""
    return sum(len(value) if isinstance(value, str | bytes) else NUMBER for row in rows for value in row)


def _authorise(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Return whether a statement may do a thing: https://www.sqlite.org/c3ref/c_alter_table.html."""
    refused = (
        action in FORBIDDEN
        or (action == sqlite3.SQLITE_FUNCTION and second in FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in PRAGMAS)
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK
