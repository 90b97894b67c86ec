"""Cost of the process boundary: a call and a SQL statement, each compared with the same in one process."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy

from drill_katas import kit
from drill_katas.catalog.katas import Limits
from drill_katas.judge.check_context import CheckContext
from drill_katas.judge.program import Program
from drill_katas.judge.session import SutSession
from drill_katas.judge.sut import Sut
from drill_katas.judge.zygote_client import AlternatingZygotes

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = """
import time
import sqlalchemy


class Thing:
    def __init__(self, engine=None):
        self._engine = engine

    def nothing(self, event):
        return "0.30"

    def statements(self, number):
        began = time.perf_counter()
        with self._engine.connect() as connection:
            for _ in range(number):
                connection.exec_driver_sql("SELECT 1").fetchall()
        return int((time.perf_counter() - began) / number * 1e9)
"""
EVENT = {"id": "evt-1", "type": "payment", "account": "alice", "currency": "USD", "amount": "0.10", "delivery": 1}
ROUNDS, CALLS = 9, 500


def nanoseconds(act: Callable[[], object]) -> float:
    """Return the mean duration of a call, in nanoseconds."""
    began = time.perf_counter()
    for _ in range(CALLS):
        act()
    return (time.perf_counter() - began) / CALLS * 1e9


def show(what: str, pairs: list[tuple[float, float]]) -> None:
    """Print the medians of both sides and of their ratio."""
    ours, control = (statistics.median(side) / 1000 for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{what}: {ours:.0f} us, in one process {control:.1f} us, ratio {ratio:.1f} ({len(pairs)} pairs)")


def main() -> None:
    """Print both costs."""
    namespace: dict[str, type] = {}
    exec(MODULE, namespace)
    here = namespace["Thing"](sqlalchemy.create_engine("sqlite://"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench" / "thing.py"
        file.parent.mkdir()
        file.write_text(MODULE, encoding="utf-8")
        zygote = AlternatingZygotes(["sqlalchemy.dialects.sqlite"])
        session = SutSession(zygote, seed=0)
        session.begin_check(CheckContext(Program("bench", ("thing",), Path(folder), {}), Limits(), 600))
        there = Sut(session).open("Thing", kit.database())
        pairs = [
            (nanoseconds(lambda: there.nothing(EVENT)), nanoseconds(lambda: here.nothing(EVENT))) for _ in range(ROUNDS)
        ]
        show("a call", pairs)
        show("a SQL statement", [(there.statements(CALLS), here.statements(CALLS)) for _ in range(ROUNDS)])
        session.close()
        zygote.close()


if __name__ == "__main__":
    main()
