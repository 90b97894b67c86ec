"""`kata watch`: sees when one of a kata's editable files is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.catalog.katas import Kata

OPTIONS: Final = ("-x", "--no-header", "-p", "no:cacheprovider", "-W", "ignore")
BREATH: Final = 100  # milliseconds after which watching is taken to have begun
SETTLE: Final = 50  # milliseconds without another change, and the file is taken to be saved


def saves(kata: Kata) -> Iterator[set[str]]:
    """Yield nothing once, when watching has begun, and then the names of editable files each time some are saved.

    Raises `UserError` without watchfiles.
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
        rust_timeout=BREATH,
        yield_on_timeout=True,
        raise_interrupt=True,
        recursive=False,
    ):
        if changes or not begun:
            begun = True
            yield {path.rpartition("/")[2] for _, path in changes}
