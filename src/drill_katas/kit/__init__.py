"""The vocabulary of kata authors: what a kata's tests import, and all they import of this package.

>>> from drill_katas import kit

The system under test comes as the fixture `sut` (see `drill_katas.judge.sut.Sut`). Resources to hand to
`sut.open`: `database()`, `upstream(...)`. Outcomes a check may expect: `Killed`, `SutError`.
"""

from drill_katas.judge.database import Database as database
from drill_katas.judge.failures import Killed, SutError
from drill_katas.judge.sut import Sut
from drill_katas.judge.upstream import Fault
from drill_katas.judge.upstream import Upstream as upstream
from drill_katas.kit import money
from drill_katas.kit.machine import Machine, explore
from drill_katas.kit.sql import costliest

__all__ = [
    "Fault",
    "Killed",
    "Machine",
    "Sut",
    "SutError",
    "costliest",
    "database",
    "explore",
    "money",
    "upstream",
]
