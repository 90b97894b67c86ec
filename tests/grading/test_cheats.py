"""The cheat museum: attempts to fool or harm a grader, run against this one. See `tests/support/museum.py`."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.grading.grades import GradesFile
from drill_katas.verdict import Outcome
from tests.cheats import archives
from tests.support import museum
from tests.support.commands import KATA
from tests.support.elsewhere import SOMEBODY
from tests.support.pack import ELSEWHERE, before_python_path
from tests.support.places import REPOSITORY
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import Grade

pytestmark = pytest.mark.long
TIERS = ["strong", "reduced", "practice"]
CHEATS = {cheat.name: cheat for cheat in museum.cheats()}
MAKERS = {maker.__name__: maker for maker in archives.MAKERS}
WRONG_FAILS = {  # the checks that a ledger that answers zero fails, and a board that asks too much
    "test_an_unknown_account_holds_nothing",
    "test_a_replay_after_a_restart_changes_nothing",
    "test_a_decline_is_counted_and_logged_once",
    "test_statements_do_not_grow_with_users",
}
STUMBLES = ("the zygote did not fork", "the judge did not come to the end")  # messages of the grader itself
MOST_RECORD = 200_000  # bytes of one submission's record
SOLUTION = "EXACT = Context("  # text that only the reference solution has
SEED_SECRET = "MUSEUM_SEED_SECRET"
WHOLE_RUN = 2_000  # seconds
NOT_JUDGED = 3  # exit code
HATCHED = 1_000_000_000  # when all canaries were, in seconds since 1970


@dataclass(frozen=True)
class Visit:
    """A museum after one run of the grader on all of its cheats."""

    tier: str
    place: museum.Surroundings
    grades: dict[str, Grade]
    printed: str
    heard: bytes
    tokens: tuple[str, ...]
    mounts: tuple[str, str]  # before and after

    @property
    def tmp(self) -> Path:
        return self.place.root / "tmp"


def elsewhere(world: str, *folders: Path | str) -> list[str]:
    """Return what runs a command in a world of `tests/support/elsewhere.py`."""
    return [sys.executable, ELSEWHERE, world, *map(str, folders), "--"]


MACHINES = {
    "strong": lambda _: [],
    "reduced": lambda root: elsewhere("no-namespaces", sys.prefix, sys.base_prefix, REPOSITORY, root),
    "practice": lambda _: elsewhere("no-landlock"),
}


class Listeners:
    """Listens for TCP, UDP and on unix sockets, and keeps what it hears; has memory that all users may share."""

    def __init__(self, door: Path) -> None:
        self.heard = bytearray()
        tcp, udp = (socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        for each in (tcp, udp):
            each.bind(("127.0.0.1", 0))
        self.tcp, self.udp = (each.getsockname()[1] for each in (tcp, udp))
        abstract, stream = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
        abstract.bind(f"\0museum-{self.tcp}")
        stream.bind(str(door))
        datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        datagrams.bind(f"{door}-datagrams")
        for path in (door, Path(f"{door}-datagrams")):
            path.chmod(0o777)  # so that only the sandbox refuses a program with another uid
        self._sockets = (tcp, udp, abstract, stream, datagrams)
        self.segment = ctypes.CDLL(None).shmget(0, 4096, 0o1666)  # IPC_PRIVATE; IPC_CREAT, for everybody
        for each in (tcp, abstract, stream):
            each.listen()
            threading.Thread(target=self._accept, args=(each,), daemon=True).start()
        for each in (udp, datagrams):
            threading.Thread(target=self._receive, args=(each,), daemon=True).start()

    def close(self) -> None:
        ctypes.CDLL(None).shmctl(self.segment, 0, None)
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with caller:
                    caller.settimeout(2)
                    self.heard += caller.recv(1000)

    def _receive(self, datagrams: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := datagrams.recv(1000):
                self.heard += piece


def grade(submissions: Path, tier: str, env: dict[str, str], file: Path) -> subprocess.CompletedProcess[str]:
    """Grade what is in a folder into a file, on a machine that allows this tier and no more."""
    options = ["--json", str(file), "--jobs", "3", "--seed-secret-env", SEED_SECRET, "--unsafe"]
    command = [*MACHINES[tier](file.parent), KATA, "grade", str(submissions), *options]
    surroundings = os.environ | {"COLUMNS": "200", "PYTHONUTF8": "1", **env}
    for more in ([], ["--resume"], ["--resume"]):  # "not judged" is not a verdict; other tests keep the machine busy
        done = subprocess.run(
            [*command, *more],
            cwd=submissions.parent,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=WHOLE_RUN,
            check=False,
        )
        if done.returncode != NOT_JUDGED:
            break
    return done


def visited(tier: str, root: Path, names: set[str]) -> Visit:
    """Have the cheats of these names graded at a tier, in surroundings that are worth an attack."""
    token, in_file = f"museum-seed-{secrets.token_hex(16)}", f"museum-secret-{secrets.token_hex(16)}"
    for folder in ("canaries", "submissions", "tmp", "state"):
        (root / folder).mkdir()
    (root / "secret").write_text(in_file)
    (root / "secret").chmod(0o600)
    (root / "canary").write_text("a canary\n")
    museum.Surroundings(root).site.mkdir()
    listeners, mounts = Listeners(museum.Surroundings(root).door), Path("/proc/mounts").read_text()
    place = museum.Surroundings(root, listeners.tcp, listeners.udp, listeners.segment)
    museum.install_katas(place)
    try:
        _hand_in(place, names)
        folders = {"TMPDIR": str(root / "tmp"), "XDG_STATE_HOME": str(root / "state")}
        env = {"PYTHONPATH": before_python_path(place.site), SEED_SECRET: token, **folders}
        if tier == "reduced" and os.geteuid() == 0:  # another user grades there, so it must own the files
            for path in (root, *root.rglob("*")):
                os.chown(path, SOMEBODY, SOMEBODY)
        done = grade(root / "submissions", tier, env, root / "grades.json")
    finally:
        listeners.close()
    assert done.returncode in {0, NOT_JUDGED}, done.stdout + done.stderr  # a cheat not judged fails its own test
    grades = msgspec.json.decode((root / "grades.json").read_bytes(), type=GradesFile)
    assert grades.tier == tier
    by_name = {each.id.partition(".")[0]: each for each in grades.submissions}
    printed = done.stdout + done.stderr
    mounts_after = Path("/proc/mounts").read_text()
    return Visit(tier, place, by_name, printed, bytes(listeners.heard), (token, in_file), (mounts, mounts_after))


def _hand_in(place: museum.Surroundings, names: set[str]) -> None:
    submissions = place.root / "submissions"
    for name in sorted(names & set(CHEATS)):
        (submissions / name).mkdir()
        place.canary(name).mkdir()
        (place.canary(name) / "canary").write_text("a canary\n")
        (place.canary(name) / "canary").chmod(0o644)
        os.utime(place.canary(name) / "canary", (HATCHED, HATCHED))
        (submissions / name / CHEATS[name].file).write_text(CHEATS[name].submission(place), encoding="utf-8")
    nothing = (museum.CHEATS / "nothing.py").read_bytes()
    for name in sorted(names & set(MAKERS)):
        MAKERS[name](submissions, nothing)
    for kata in museum.KATAS.values():
        shutil.copytree(place.pack / "solutions" / kata, submissions / f"right_{kata}")
    for name, wrong in {"wrong_till": "books.py", "wrong_board": "board.py"}.items():
        (submissions / name).mkdir()
        source = museum.CHEATS / "nothing.py" if wrong == "books.py" else place.pack / "katas" / "board" / wrong
        shutil.copy(source, submissions / name / wrong)


@pytest.fixture(scope="session", params=TIERS)
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """All cheats that are selected, graded in one run."""
    params = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    names = {each[key] for each in params for key in ("cheat", "maker") if key in each} or set(CHEATS)
    done = visited(request.param, tmp_path_factory.mktemp(f"visit-{secrets.token_hex(4)}-"), names)
    yield done
    seconds = sorted(((each.seconds, name) for name, each in done.grades.items()), reverse=True)
    (done.place.root / "seconds.txt").write_text("".join(f"{each:7.1f} {name}\n" for each, name in seconds))
    for left in _left_files(done.place.root.name):
        shutil.rmtree(left) if Path(left).is_dir() else Path(left).unlink()


def _left_files(mark: str) -> list[str]:
    folders = map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run", "."))
    return [str(each) for folder in folders for each in folder.glob(f"museum-{mark}-*")]


def _processes(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [str(path)] if mark.encode() in path.read_bytes() else []
    return found


def _changes(canary: Path) -> Iterator[str]:
    """Say what of a canary is not as it was, besides its content."""
    seen, egg = canary.stat(), canary.parent.parent.stat()
    if seen.st_mtime != HATCHED:
        yield "has another age"
    if stat.S_IMODE(seen.st_mode) != 0o644:
        yield f"has the mode {stat.S_IMODE(seen.st_mode):o}"
    if (seen.st_uid, seen.st_gid) != (egg.st_uid, egg.st_gid):
        yield "has another owner"
    if os.listxattr(canary):
        yield "has attributes"


def _messages(grade: Grade) -> str:
    return "\n".join(check.message for check in grade.checks)


def got_through(visit: Visit, name: str) -> list[str]:
    """Say what a cheat has gained or spoilt."""
    grade, mark, canary = visit.grades[name], visit.place.mark(name), visit.place.canary(name)
    found = ["it is solved"] if grade.solved else []
    found += ["it is not judged"] if any(check.verdict is Outcome.NOT_JUDGED for check in grade.checks) else []
    passed = {check.name for check in grade.checks if check.verdict is Outcome.PASS} & WRONG_FAILS
    if passed and CHEATS[name].base != "solution":
        found.append(f"it passes {passed}")
    text = _messages(grade)
    if "Stolen: " in text:
        found.append(text[text.index("Stolen: ") :].partition("\n")[0][:200])
    found += ["a secret is revealed"] if any(each in text for each in (*visit.tokens, SOLUTION)) else []
    files = sorted(each.name for each in canary.iterdir())
    if files != ["canary"] or (canary / "canary").read_text() != "a canary\n":
        found.append(f"the canary is dead: {files}")
    else:
        found += [f"the canary {change}" for change in _changes(canary / "canary")]
    if mark.encode() in visit.heard:
        found.append("it was heard over the network")
    if _processes(mark):
        found.append(f"it still runs: {_processes(mark)}")
    found += [f"it left {each}" for each in _left_files(visit.place.root.name) if mark in each]
    found += [f"the grader says that {each}" for each in STUMBLES if each in text]
    if len(msgspec.json.encode(grade)) > MOST_RECORD:
        found.append("its record is enormous")
    return found


@pytest.mark.parametrize("kata", museum.KATAS.values())
def test_right_submissions_pass_beside_the_cheats(visit: Visit, kata: str) -> None:
    """Without a cheat, a right module is solved, and a wrong module is not."""
    right, wrong = visit.grades[f"right_{kata}"], visit.grades[f"wrong_{kata}"]
    assert right.solved, _messages(right)
    failed = {check.name for check in wrong.checks if check.verdict is Outcome.FAIL}
    assert failed == WRONG_FAILS & {check.name for check in wrong.checks}, _messages(wrong)


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_cheat_runs_and_is_stopped(visit: Visit, cheat: str) -> None:
    """Each cheat is carried out, and stopped at the tiers that its header names.

    A cheat with `through` has to get through at those tiers: so it shows that this test can fail.
    """
    grade = visit.grades[cheat]
    for verdict, pattern in CHEATS[cheat].seen:
        verdicts = [f"{each.verdict}: {each.message}" for each in grade.checks]
        assert any(
            re.match(verdict, each.verdict) and re.search(pattern, each.message, re.DOTALL) for each in grade.checks
        ), f"nothing like {verdict}: {pattern} in\n" + "\n".join(verdicts)
    found = got_through(visit, cheat)
    match CHEATS[cheat].is_stopped_at(visit.tier):
        case True:
            assert not found
        case False if not found:
            assert visit.tier not in CHEATS[cheat].through, "without its defense this cheat gets through"
            pytest.skip(f"{cheat} may get through at {visit.tier}, and does not on this machine")


@pytest.mark.parametrize("maker", MAKERS)
def test_archives_are_graded_for_their_fix(visit: Visit, maker: str) -> None:
    grade = visit.grades.get(maker) or visit.grades[r"z\n::set-output name=solved::true\n\x1b[2J\r"]
    assert not grade.solved
    assert grade.kata in {"till", None}
    if grade.kata is None:
        assert grade.notes[-1].startswith("unreadable: ")
    else:
        assert not any(check.verdict is Outcome.PASS for check in grade.checks)
    assert len(msgspec.json.encode(grade)) < MOST_RECORD
    assert not any(token in msgspec.json.encode(grade).decode() for token in visit.tokens)


def test_the_grader_leaks_and_leaves_nothing(visit: Visit) -> None:
    printed = visit.printed
    assert "Traceback" not in printed
    assert re.search(r"^\s*::|\x1b\]|\x9b", printed, re.MULTILINE) is None
    assert (visit.place.root / "canary").read_text() == "a canary\n"
    assert not Path("/etc/museum").exists()
    assert visit.mounts[0] == visit.mounts[1]
    wait_until(lambda: not any(visit.tmp.iterdir()))


def test_documentation_lists_every_cheat() -> None:
    table = museum.table()
    assert table in (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8"), "run docs/generate.py"
    assert len(table.splitlines()) == len(CHEATS) + len(MAKERS) + 2
    assert all(len(line.split("|")) == 6 and line.split("|")[1].strip() for line in table.splitlines())
