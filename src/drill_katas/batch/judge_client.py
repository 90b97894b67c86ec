"""The client of a prefork judge: starts its process, sends requests, ends it."""

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
"""The module of the judge's process; a name, because its import would load pytest into the client."""


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of a judge: its kata, its pytest options, the sandbox of its SUTs.

    `opaque` means that it does not see how its SUTs are written. `shown` means that it judges at a terminal and hides
    pytest's output before the checks.
    """

    kata: str
    options: tuple[str, ...]
    tier: Tier = Tier.PRACTICE
    hidden: tuple[str, ...] = ()
    opaque: bool = False
    shown: bool = False


class JudgeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a judge.

    `source` and `report` are the values of `--kata-from` and `--kata-report`; a `source` of None means the learner's
    own files. `checks` are the names of the checks to run; empty means all. With `stop_at_failure` the run ends at the
    first check that fails.
    """

    source: str | None = None
    seed: int = 0
    report: str | None = None
    checks: tuple[str, ...] = ()
    stop_at_failure: bool = False


class JudgeEnded(Exception):
    """The judge ended without a verdict."""


class WarmJudge:
    """A prefork judge in a process of its own."""

    def __init__(
        self,
        config: JudgeConfig,
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
                    msgspec.json.encode(config).decode(),
                    f"{requests}",
                    f"{answers}",
                ],
                pass_fds=(requests, answers),
                stdin=None if config.shown else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment,
                start_new_session=not config.shown,  # without a terminal Ctrl-C goes to the client only
            )
        finally:
            os.close(requests)
            os.close(answers)
        self._from = os.fdopen(self._answers, "rb")

    def judge(self, request: JudgeRequest) -> None:
        """Send a request and wait until it is done. Raises `JudgeEnded`."""
        try:
            os.write(self._requests, msgspec.json.encode(request) + b"\n")
            answer = self._from.readline()
        except OSError:  # the judge ended, or `hang_up` was called
            answer = b""
        if not answer:
            raise JudgeEnded("the judge has ended")

    def hang_up(self) -> None:
        """Close the request pipe; the current run ends. A blocked `judge()` raises `JudgeEnded`. Thread-safe."""
        requests, self._requests = self._requests, -1
        if requests >= 0:
            os.close(requests)

    def close(self) -> None:
        """End the judge and wait until its process is gone."""
        self.hang_up()
        self._process.wait()
        self._from.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
