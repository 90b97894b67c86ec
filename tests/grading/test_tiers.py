"""Sandbox tiers: the tier of a machine, and the actions that it prevents."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from drill_katas import kit
from drill_katas.catalog.katas import Limits, shipped
from drill_katas.grading.tiers import strongest_policy
from drill_katas.judge.check_context import CheckContext
from drill_katas.judge.dialer import Dialer
from drill_katas.judge.program import Program
from drill_katas.judge.session import SutSession
from drill_katas.judge.sut import Sut
from drill_katas.judge.zygote_client import AlternatingZygotes
from drill_katas.sandbox.tier import SandboxPolicy, Tier
from drill_katas.services.broker import Services
from tests.support.commands import kata, refused
from tests.support.pack import RIGHT, WRONG, Pack

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can tell a namespace what it allows")
SPY = '''
import ctypes, fcntl, glob, mmap, multiprocessing, os, signal, socket, subprocess, sys, threading
from concurrent.futures import ProcessPoolExecutor


class Spy:
    def __init__(self, engine):
        self.engine = engine

    def attempt(self, code):
        """Run some code; its value, or the error's name."""
        names = {**globals(), "self": self}
        try:
            return repr(eval(code, names))
        except Exception as error:
            return type(error).__name__

    def statement(self):
        with self.engine.connect() as connection:
            return connection.exec_driver_sql("select 1").scalar()
'''
ERRORS = {"PermissionError", "FileNotFoundError", "ProcessLookupError", "OSError"}


@pytest.fixture(scope="module", params=[Tier.STRONG, Tier.REDUCED])
def spy(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("overlay")
    (folder / "spying").mkdir()
    (folder / "spying" / "spy.py").write_text(SPY)
    hidden = (str(shipped().katas), str(shipped().katas.parent / "solutions"))
    zygotes = AlternatingZygotes([], SandboxPolicy(request.param, hidden))
    session = SutSession(zygotes, seed=0)
    for place in (folder, *folder.parents[:2]):  # the tier must protect the files, not their modes
        place.chmod(0o755)
    session.begin_check(CheckContext(Program("spying", ("spy",), folder, {}), Limits(), 60))
    yield Sut(session).open("Spy", kit.database())
    session.close()
    zygotes.close()


def test_what_a_right_fix_needs_is_there(spy):
    assert spy.statement() == 1
    for code in (
        "__import__('sqlite3').version",
        "__import__('ssl').OPENSSL_VERSION",
        "__import__('asyncio').run(__import__('asyncio').sleep(0.001, 5))",
        "socket.socketpair()[0].close()",
        "os.urandom(4)",
        "open('/dev/null', 'w').write('x')",
        "mmap.mmap(-1, 4096)",
        "threading.Thread(target=print).start()",
        "os.waitpid(os.fork() or os._exit(0), 0)",
        "subprocess.run(['true'], check=True)",
        "(lambda one: (one.start(), one.join(), one.close()))(multiprocessing.get_context('fork').Process())",
        "__import__('asyncio').run(__import__('asyncio').to_thread(print))",
        "__import__('select').epoll()",
        "threading.get_native_id() and signal.setitimer(signal.ITIMER_REAL, 0)",
        "os.fsync(1)",
    ):
        assert spy.attempt(code) not in ERRORS, code


@pytest.mark.parametrize(
    "code",
    [
        f"open({str(shipped().katas / 'fp_drift' / 'oracle.py')!r}).read()",
        f"open({str(shipped().katas.parent / 'solutions' / 'fp_drift' / 'ledger.py')!r}).read()",
        f"os.listdir({str(Path(__file__).parent)!r})",
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "open('/proc/1/environ').read()",
        "open(__file__, 'a')",
        "open(os.path.dirname(__file__) + '/more.py', 'w')",
        "open('/usr/written', 'w')",
        "os.mkfifo(os.path.dirname(__file__) + '/pipe')",
        "socket.socket()",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "os.memfd_create('x')",
        "os.setpriority(os.PRIO_PROCESS, os.getppid() or 1 << 20, 0)",
        "os.setuid(0)",
        "os.chroot('/')",
        "os.pidfd_open(os.getpid())",
        "fcntl.fcntl(3, 8, 1)",
        "fcntl.flock(open(os.__file__), fcntl.LOCK_EX)",
        "(lambda file: os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED))(open(os.__file__))",
        "os.setpriority(os.PRIO_USER, 0, 19)",
        "os.sched_setaffinity(0, {0})",
        "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
        "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)",
        "socket.socketpair()[0].send(b'x', socket.MSG_OOB)",
    ],
)
def test_what_it_must_not_do_it_cannot(spy, code):
    assert spy.attempt(code) in ERRORS


@pytest.mark.parametrize(
    "code",
    [
        "unshare(0x10000000)", "ptrace(16, {judge}, 0, 0)", "syscall(425, 1, 0)",
        "inotify_init1(0)", "syncfs(1)", "mlockall(1)", "mq_unlink(b'/kata')",
        "prctl(1, 0)", "prctl(4, 0)", "prctl(36, 1)",  # PR_SET_PDEATHSIG, _DUMPABLE, _CHILD_SUBREAPER
    ],
)  # fmt: skip
def test_nameless_system_calls_are_refused(spy, code):
    assert spy.attempt(f"ctypes.CDLL(None).{code.format(judge=os.getpid())}") == "-1"


@pytest.fixture
def of_the_host():
    """Ids of a memory segment, a semaphore and a message queue of System V, which all users may use."""
    libc = ctypes.CDLL(None)
    private, mode = 0, 0o1666  # IPC_PRIVATE, and IPC_CREAT for everybody
    segment, semaphore, queue = (
        libc.shmget(private, 4096, mode),
        libc.semget(private, 1, mode),
        libc.msgget(private, mode),
    )
    yield {"segment": segment, "semaphore": semaphore, "queue": queue}
    libc.shmctl(segment, 0, None)
    libc.semctl(semaphore, 0, 0)
    libc.msgctl(queue, 0, None)


@pytest.mark.parametrize(
    "code",
    [
        "shmat({segment}, None, 0)",
        "shmctl({segment}, 2, ctypes.create_string_buffer(1024))",
        "semop({semaphore}, ctypes.create_string_buffer(bytes((0, 0, 1, 0, 0, 0))), 1)",
        "semctl({semaphore}, 0, 12)",
        "msgsnd({queue}, ctypes.create_string_buffer(bytes((1, 0, 0, 0, 0, 0, 0, 0)), 16), 1, 0o4000)",
        "msgrcv({queue}, ctypes.create_string_buffer(16), 1, 0, 0o4000)",
        "msgctl({queue}, 2, ctypes.create_string_buffer(1024))",
    ],
)
def test_host_objects_are_unreachable_by_number(spy, of_the_host, code):
    """A list of forbidden calls had those that open such an object, and not those that take its number."""
    ctypes.CDLL(None).msgsnd(of_the_host["queue"], ctypes.create_string_buffer(bytes((1, *[0] * 15))), 1, 0)
    assert spy.attempt(f"ctypes.CDLL(None).{code.format(**of_the_host)}") == "-1"


def test_it_reaches_no_process_but_its_own(spy):
    for target in (os.getpid(), os.getppid()):
        assert spy.attempt(f"os.kill({target}, 0)") in ERRORS
    assert spy.attempt("os.kill(-1, 0)") in ERRORS


def test_only_the_judges_unix_socket_is_reachable(spy, tmp_path_factory):
    place = tmp_path_factory.mktemp("door")
    with socket.socket(socket.AF_UNIX) as door, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        for each, name in ((door, "door"), (box, "box")):
            each.bind(str(place / name))
        door.listen()
        for path in (place, *place.parents[:2], place / "door", place / "box"):
            path.chmod(0o777)
        plain, door_path, box_path = "__import__('_socket').socket", str(place / "door"), str(place / "box")
        assert spy.attempt(f"socket.socket(socket.AF_UNIX).connect({door_path!r})") in ERRORS
        assert spy.attempt(f"{plain}(socket.AF_UNIX).connect({door_path!r})") in ERRORS
        sends = f"{plain}(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', {box_path!r})"
        assert spy.attempt(sends) in ERRORS
        assert (
            spy.attempt(f"{plain}.sendto(socket.socketpair(type=socket.SOCK_DGRAM)[0], b'x', {box_path!r})") in ERRORS
        )
        door.setblocking(False)
        box.setblocking(False)
        with pytest.raises(BlockingIOError):
            door.accept()
        with pytest.raises(BlockingIOError):
            box.recv(1)


DIALS = """
import asyncio, socket, sys
from drill_katas.sut.dialing import connect_through

there = sys.argv[2]
connect_through(socket.socket(fileno=int(sys.argv[1])))


async def wait():
    reader, writer = await asyncio.open_unix_connection(there)
    writer.write(b"asked without waiting")
    assert await reader.read() == b"answered"
    writer.close()


asyncio.run(wait())
for seconds in (None, 5):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(seconds)
        one.connect(there)
        assert one.gettimeout() == seconds
        one.sendall(b"asked")
        assert one.recv(100) == b"answered"
for path, error in (
    (there + "-not", FileNotFoundError),
    ("/tmp/elsewhere", PermissionError),
    (b"\\0x", PermissionError),
):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
    except error:
        pass
    else:
        raise AssertionError(path)
"""


def test_dialer_connects_for_a_process_that_cannot(tmp_path):
    heard = []
    services = Services(tmp_path)
    there = str(services.folder / "other")
    with contextlib.closing(services), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(there)
        listener.listen()

        def answer():
            for _ in range(3):
                connection, _ = listener.accept()
                with connection:
                    heard.append(connection.recv(100))
                    connection.sendall(b"answered")

        answers = threading.Thread(target=answer, daemon=True)
        answers.start()
        with contextlib.closing(Dialer(services.folder)) as dialer:
            end = dialer.detach()
            command = [sys.executable, "-c", DIALS, str(end), there]
            done = subprocess.run(command, pass_fds=[end], capture_output=True, text=True, timeout=60, check=False)
            os.close(end)
        assert done.returncode == 0, done.stderr
        answers.join(5)
    assert heard == [b"asked without waiting", b"asked", b"asked"]


def test_a_sut_has_no_privileges(spy):
    """It has no file open but its own."""
    spy.statement()
    assert spy.attempt("[fd for fd in range(3, 1000) if not os.fstat(fd)]") == "OSError"
    # the judge, its database, stacks, the dialer
    assert spy.attempt("[os.fstat(fd) and fd for fd in (3, 4, 5, 6)]") == "[3, 4, 5, 6]"
    for fd in (7, 8, 100, 101, 102, 103, 104):
        assert spy.attempt(f"os.fstat({fd})") == "OSError"
    header = "__import__('struct').pack('=Ii', 0x20080522, 0)"
    effective = f"(lambda b: (ctypes.CDLL(None).capget({header}, b), b.raw[:4])[1])(ctypes.create_string_buffer(24))"
    kept = 4 if os.geteuid() == 0 and spy.attempt("os.listdir('/')") in ERRORS else 0  # reduced: root's may read
    assert spy.attempt(effective) == repr(kept.to_bytes(4, sys.byteorder))


def test_abstract_host_sockets_are_unreachable(spy):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0kata-test")
        listener.listen()
        assert spy.attempt("socket.socket(socket.AF_UNIX).connect(chr(0) + 'kata-test')") in {
            "PermissionError",
            "ConnectionRefusedError",
        }


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


def tier_of(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return re.search(r"sandbox tier (\w+)", result.stdout)[1]


@pytest.mark.long
def test_the_strongest_tier_that_holds_is_taken(pack):
    pack.hand_in("right", RIGHT)
    pack.hand_in("wrong", WRONG)
    for world, tier in (("user", "strong"), ("no-namespaces", "reduced")):
        if os.geteuid() != 0 and world == "no-namespaces":
            continue
        result = pack.elsewhere(world)
        assert tier_of(result) == tier
        assert "✓ right" in result.stdout
        assert "1 of 2 solved" in result.stdout
        assert pack.left() == []


def test_relative_import_paths_keep_the_tier(tmp_path, monkeypatch):
    (tmp_path / "helpers").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["helpers", *sys.path])
    assert strongest_policy([shipped().get("fp_drift")], None, unsafe=False).tier is Tier.STRONG


@AS_ROOT
def test_strict_umask_does_not_lower_the_tier(pack):
    """The umask 0077 gave folders the mode 0700, so a SUT with a separate uid could not read them."""
    pack.hand_in("right", RIGHT)
    before = os.umask(0o077)
    try:
        result = kata(pack.root, "grade", pack.work, env=pack.env)
    finally:
        os.umask(before)
    assert tier_of(result) == "strong"
    assert "1 of 1 solved" in result.stdout


@AS_ROOT
def test_tier_below_required_is_refused_with_reason(pack):
    pack.hand_in("right", RIGHT)
    message = refused(pack.elsewhere("no-namespaces", "--require-tier", "strong"))
    assert message.startswith("--require-tier strong: only reduced is available here (strong: ")
    assert "unshare" in message
    assert "run it as root" in message


def test_practice_tier_needs_unsafe(pack):
    pack.hand_in("right", RIGHT)
    message = refused(pack.elsewhere("no-landlock"))
    assert message.startswith("no sandbox is available here (strong: ")
    assert message.endswith("--unsafe")
    assert tier_of(pack.elsewhere("no-landlock", "--unsafe")) == "practice"
