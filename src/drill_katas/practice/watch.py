"""File watching for `kata watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from drill_katas.catalog.katas import Kata

OPTIONS: Final = ("-x", "--no-header", "-p", "no:cacheprovider", "-W", "ignore")
STARTUP: Final = 100  # milliseconds after which the watcher counts as started
SETTLE: Final = 50  # milliseconds without another change after which a file counts as saved


def saves(kata: Kata, stopped: Event | None = None) -> Iterator[set[str]]:
    """Yield the names of the saved editable files after each save; the first item is an empty set, when watching began.

    It ends soon after `stopped` is set. Raises `UserError` if watchfiles is not installed.
    """
    try:
        import watchfiles  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("`kata watch` needs the extra `watch`: pip install 'drill-katas[watch]'") from None
    editable = {str(kata.folder / name) for name in kata.manifest.editable}
    begun = False
    for changes in watchfiles.watch(
        kata.folder,
        watch_filter=lambda _, path: path in editable,
        debounce=1000,
        step=SETTLE,
        rust_timeout=STARTUP,
        yield_on_timeout=True,
        raise_interrupt=True,
        stop_event=stopped,
        recursive=False,
    ):
        if changes or not begun:
            begun = True
            yield {path.rpartition("/")[2] for _, path in changes}
