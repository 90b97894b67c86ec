"""The client of a warm judge: starts its process, asks it to judge, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Final, Self

import msgspec

from drill_katas.sandbox.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER: Final = "drill_katas.runner.judge_server"
"""The module that the process runs, by name: it imports pytest, which the client does not need."""


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which judge to be: of a kata, with these options of pytest's, holding SUTs like that.

    `shown` says that it judges at a terminal, where what comes before the checks is kept back.
    """

    kata: str
    options: tuple[str, ...]
    tier: Tier = Tier.PRACTICE
    hidden: tuple[str, ...] = ()
    shown: bool = False


class JudgeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to judge: `source` and `report` are as `--kata-from` and `--kata-report`; the learner's files are None.

    `checks` are the names of the checks to run; without any, all of them run.
    """

    source: str | None = None
    seed: int = 0
    report: str | None = None
    checks: tuple[str, ...] = ()


class JudgeEnded(Exception):
    """The judge itself has ended; what it was asked to judge has no verdict."""


class WarmJudge:
    """The process of a judge, as seen from outside."""

    def __init__(
        self,
        order: JudgeConfig,
        *,
        output: IO[bytes] | None = None,
        folder: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    SERVER,
                    msgspec.json.encode(order).decode(),
                    f"{requests}",
                    f"{answers}",
                ],
                pass_fds=(requests, answers),
                stdin=None if order.shown else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment,
                start_new_session=not order.shown,  # Ctrl-C is for whoever has started it, who then hangs up
            )
        finally:
            os.close(requests)
            os.close(answers)
        self._from = os.fdopen(self._answers, "rb")

    def judge(self, request: JudgeRequest) -> None:
        """Judge once, and wait until that is done. Raises `JudgeEnded`."""
        try:
            os.write(self._requests, msgspec.json.encode(request) + b"\n")
            answer = self._from.readline()
        except OSError:  # nobody is there to read it, or we have hung up
            answer = b""
        if not answer:
            raise JudgeEnded("the judge has ended")

    def hang_up(self) -> None:
        """Have it end, and what it judges; who waits for an answer gets `JudgeEnded`. Any thread may."""
        requests, self._requests = self._requests, -1
        if requests >= 0:
            os.close(requests)

    def close(self) -> None:
        """End it, and wait until nothing of it is left."""
        self.hang_up()
        self._process.wait()
        self._from.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
