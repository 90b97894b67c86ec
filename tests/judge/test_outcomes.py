"""Any behavior of the learner's code gives its check a verdict in time, and the next check is judged."""

from __future__ import annotations

import re
import textwrap

import pytest

from drill_katas.verdict import CheckResult, Outcome
from tests.support.deeds import (
    CRASH,
    FAIL,
    GO_AND_NEXT,
    GRACE,
    HANG,
    IMPORTS,
    LIMIT,
    PASS,
    called_one_by_one,
    judge,
    judge_body,
    module_of,
    notes,
)
from tests.support.toy import CHECK, MANIFEST, Toy

FUSE = 2_000  # forks after which a bomb stops, so that a failing product does not take down the machine


def test_a_hanging_call_shows_its_line(toy):
    toy.limits(call_seconds=1.0)
    toy.body("time.sleep(3600)")
    check = toy.check()
    assert check.outcome is HANG
    assert check.seconds - check.waited < 1 + GRACE
    assert "no answer within 1 s" in check.message
    assert any("toy.py:6 in go" in line for line in check.details)


MISDEEDS = """
class Thing:
    def fine(self):
        return "fine"

    def sleeps(self):
        time.sleep(3600)

    def loops(self):
        while True:
            pass

    def deadlocks(self):
        lock = threading.Lock()
        with lock, lock:
            pass

    def joins_a_thread_that_deadlocks(self):
        thread = threading.Thread(target=self.deadlocks)
        thread.start()
        thread.join()

    def stops_itself(self):
        os.kill(os.getpid(), signal.SIGSTOP)

    def stops_and_takes_no_signal(self):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        time.sleep(3600)

    def exits_with_0(self):
        os._exit(0)

    def exits_with_3(self):
        os._exit(3)

    def calls_sys_exit(self):
        sys.exit(0)

    def segfaults(self):
        ctypes.string_at(0)

    def aborts(self):
        os.abort()

    def kills_itself(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def closes_everything(self):
        os.closerange(3, 256)

    def closes_everything_and_stays(self):
        os.closerange(3, 256)
        time.sleep(3600)

    def takes_2_gib_at_once(self):
        return len(b"x" * (2 << 30))

    def takes_2_gib_bit_by_bit(self):
        return len([[0] * 250 for _ in range(1 << 20)])

    def takes_2_gib_that_it_shares(self):
        shared = mmap.mmap(-1, 2 << 30)
        for _ in range(2 << 10):
            shared.write(bytes(1 << 20))

    def takes_memory_in_its_children(self):
        for _ in range(8):
            if os.fork() == 0:
                held = b"x" * (40 << 20)
                time.sleep(3600)
        time.sleep(3600)

    def starts_many_programs(self):
        for _ in range(40):
            subprocess.Popen(["sleep", "3600"])
        time.sleep(3600)

    def starts_many_programs_among_dying_orphans(self):
        if os.fork() == 0:
            while True:
                if os.fork() == 0:
                    os.fork()
                    os._exit(0)
                os.wait()
        time.sleep(0.3)
        self.starts_many_programs()

    def prints_without_end(self):
        while True:
            print("x" * 1000)

    def says_to_the_judge(self, what):
        for number in range(3, 256):
            try:
                socket.socket(fileno=os.dup(number)).sendall(what)
            except OSError:
                pass
        time.sleep(3600)

    def replies_garbage(self):
        self.says_to_the_judge(b"garbage" + bytes([10]))

    def replies_without_a_value(self):
        self.says_to_the_judge(b"{}" + bytes([10]))

    def replies_with_an_error_that_is_none(self):
        self.says_to_the_judge(b'{"error": 5}' + bytes([10]))

    def replies_with_an_unknown_error(self):
        self.says_to_the_judge(b'{"error": {"kind": "?", "type": "", "message": "", "frames": []}}' + bytes([10]))

    def recurses(self):
        return self.recurses()
"""
OUTCOMES = {
    "sleeps": (HANG, "no answer within 1.5 s"),
    "loops": (HANG, "no answer within 1.5 s"),
    "deadlocks": (HANG, "no answer within 1.5 s"),
    "joins_a_thread_that_deadlocks": (HANG, "no answer within 1.5 s"),
    "stops_itself": (HANG, "no answer within 1.5 s"),
    "stops_and_takes_no_signal": (HANG, "no answer within 1.5 s"),
    "exits_with_0": (CRASH, "exited with status 0"),
    "exits_with_3": (CRASH, "exited with status 3"),
    "calls_sys_exit": (CRASH, "called sys.exit(0)"),
    "segfaults": (CRASH, "killed by SIGSEGV"),
    "aborts": (CRASH, "killed by SIGABRT"),
    "kills_itself": (CRASH, "killed by SIGKILL"),
    "closes_everything": (CRASH, "the program"),
    "closes_everything_and_stays": (CRASH, "the program"),
    "takes_2_gib_at_once": (LIMIT, "128 MiB"),
    "takes_2_gib_bit_by_bit": (LIMIT, "128 MiB"),
    "takes_2_gib_that_it_shares": (LIMIT, "128 MiB"),
    "takes_memory_in_its_children": (LIMIT, "128 MiB"),
    "starts_many_programs": (LIMIT, "16 processes"),
    "starts_many_programs_among_dying_orphans": (LIMIT, "16 processes"),
    "prints_without_end": (LIMIT, "printed without end"),
    "replies_garbage": (FAIL, "not an answer in the judge's format"),
    "replies_without_a_value": (FAIL, "not an answer in the judge's format"),
    "replies_with_an_error_that_is_none": (FAIL, "not an answer in the judge's format"),
    "replies_with_an_unknown_error": (FAIL, "not an answer in the judge's format"),
    "recurses": (FAIL, "raised RecursionError: maximum recursion depth exceeded"),
}


@pytest.fixture(scope="module")
def misdeeds(tmp_path_factory) -> dict[str, tuple[CheckResult, CheckResult]]:
    toy = Toy(tmp_path_factory.mktemp("misdeeds"))
    toy.limits(call_seconds=1.5, memory_mib=128)
    toy.module(IMPORTS + MISDEEDS)
    return called_one_by_one(toy, list(OUTCOMES))


@pytest.mark.long
@pytest.mark.parametrize("method", OUTCOMES)
def test_each_misdeed_has_its_outcome(misdeeds, method):
    """The verdict comes in time, and the next check passes."""
    check, after = misdeeds[method]
    outcome, says = OUTCOMES[method]
    assert check.outcome is outcome, check.message
    assert check.message.startswith(f"thing.{method}()")
    assert says in check.message
    assert check.seconds - check.waited < 1.5 + GRACE
    assert after.outcome is PASS, after.message


def test_what_forks_have_in_common_counts_once(toy):
    toy.limits(call_seconds=10, memory_mib=128)
    toy.body("for _ in range(12):", "    if os.fork() == 0:", "        time.sleep(3600)", "time.sleep(0.5)")
    toy.checks("""
        @pytest.mark.stage("symptom")
        def test_go(sut):
            with sut.open("Thing") as thing:
                thing.go()
    """)
    check = toy.check()
    assert check.outcome is PASS, check.message


@pytest.mark.long
def test_hang_shows_stack_of_every_thread(misdeeds):
    check, _ = misdeeds["joins_a_thread_that_deadlocks"]
    threads = "\n".join(check.details).partition("thread 1:")[2]
    assert "thread 2:" in threads
    assert "in joins_a_thread_that_deadlocks" in threads
    assert "in deadlocks" in threads
    assert "drill_katas" not in threads, "frames of the judge's own package say nothing to a learner"
    assert re.search(r"^ +threading\.py:\d+ in ", threads, re.MULTILINE), "a library's file is named within the library"


@pytest.mark.long
def test_deep_recursion_shows_few_frames(misdeeds):
    check, _ = misdeeds["recurses"]
    frames = [line for line in check.details if "in recurses" in line]
    assert 1 <= len(frames) <= 40


@pytest.mark.parametrize(
    "in_the_child", ["pass", "os.setsid()"], ids=["in one session", "each in a session of its own"]
)
def test_process_limit_stops_a_fork_bomb(toy, in_the_child):
    forks = notes(toy)
    check = judge_body(
        toy,
        f"forks = os.open({str(forks)!r}, os.O_WRONLY | os.O_APPEND)",
        f"while os.fstat(forks).st_size < {FUSE}:",
        "    if os.fork() == 0:",
        "        os.write(forks, b'.')",
        f"        {in_the_child}",
        "os._exit(0)",
    )
    assert check.outcome is LIMIT, check.message
    assert "more processes or threads than it may have" in check.message
    assert check.seconds - check.waited < 3 + GRACE
    assert 0 < forks.stat().st_size < FUSE


@pytest.mark.long
@pytest.mark.parametrize(
    ("deed", "outcome", "says"),
    [
        ("time.sleep(3600)", HANG, "the check did not end within its 3 s"),
        ("sys.exit(0)", CRASH, "called sys.exit(0)"),
        ("os._exit(0)", CRASH, "exited with status 0"),
        ("ctypes.string_at(0)", CRASH, "killed by SIGSEGV"),
        ("bytes(2 << 30)", LIMIT, "512 MiB"),
    ],
    ids=["sleeps", "calls sys.exit", "exits", "segfaults", "takes 2 GiB"],
)
def test_each_import_misdeed_has_its_outcome(toy, deed, outcome, says):
    imports = notes(toy)
    toy.limits(check_seconds=3.0)
    toy.checks(GO_AND_NEXT)
    first_time_only = f"notes = open({str(imports)!r}, 'a+')\nif notes.tell() == 0:\n    notes.write('.')\n"
    toy.module(f"{module_of()}        pass\n\n\n{first_time_only}    notes.close()\n    {deed}\n")
    (check, after), _ = judge(toy)
    assert check.outcome is outcome, check.message
    assert check.message.startswith("import of toy.py: ")
    assert says in check.message
    assert check.seconds - check.waited < 3 + GRACE
    assert after.outcome is PASS, after.message


def test_hang_inside_example_is_reported_as_hang(toy):
    """Hypothesis had begun an example with the same data before, which drew more, and speaks of inconsistent data."""
    toy.limits(call_seconds=0.5)
    toy.checks("""
        @pytest.mark.stage("symptom")
        @given(st.data())
        def test_go(sut, data):
            \"\"\"It goes.\"\"\"
            data.draw(st.booleans())
            with sut.open("Thing") as thing:
                thing.go()
            data.draw(st.integers())
    """)
    toy.module("""
        import itertools, time

        calls = itertools.count()

        class Thing:
            def go(self):
                if next(calls) == 5:
                    time.sleep(60)
    """)
    check = toy.check()
    assert check.outcome is HANG, check.message
    assert "thing.go(): no answer within 0.5 s" in check.message


def test_many_slow_calls_fail_without_a_hang(toy):
    """Every call is answered: more work than the budget allows is a failure in words, and shows no stacks."""
    toy.limits(call_seconds=1.0, check_seconds=1.5)
    toy.checks(GO_AND_NEXT.replace("thing.go()", "[thing.go() for _ in range(100)]"))
    toy.module(module_of("time.sleep(0.1)"))
    (check, after), _ = judge(toy)
    assert check.outcome is FAIL
    said = re.fullmatch(r"(\d+) calls were answered, but the check did not finish within its 1.5 s", check.message)
    assert said, check.message
    assert 3 < int(said[1]) < 100
    assert check.seconds - check.waited < 1.5 + GRACE
    assert any(line.endswith(" calls before these") for line in check.details)
    assert after.outcome is PASS, after.message


def test_killing_the_zygote_spoils_one_check(toy):
    # under root the SUT runs as nobody and gets EPERM; otherwise the call succeeds
    check = judge_body(toy, "os.kill(os.getppid(), signal.SIGKILL)", "time.sleep(3600)")
    assert check.outcome in {CRASH, FAIL}, check.message


def test_a_judge_with_many_files_works(toy):
    toy.limits(call_seconds=1.0)
    many = """
    import os, resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    TAKEN = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    """
    toy.checks(textwrap.dedent(many) + GO_AND_NEXT)
    toy.module(module_of("time.sleep(3600)"))
    (check, after), _ = judge(toy)
    assert check.outcome is HANG, check.message
    assert any("toy.py" in line for line in check.details)
    assert after.outcome is PASS, after.message


def test_program_that_logs_endlessly_is_stopped(toy):
    toy.write("kata.toml", f'{MANIFEST}preload = ["structlog"]\n[limits]\ncall_seconds = 19.0\n')
    toy.checks(GO_AND_NEXT)
    loop = textwrap.indent("while True:\n    structlog.get_logger().info('again')\n", " " * 8)
    toy.module(f"import structlog\n{module_of()}{loop}")
    (check, after), _ = judge(toy)
    assert check.outcome is LIMIT, check.message
    assert check.message.endswith("most of it log lines")
    assert after.outcome is PASS, after.message


@pytest.mark.long
def test_a_hanging_import_is_awaited_once(toy):
    toy.module("import time\n\ntime.sleep(60)\n")
    toy.checks(CHECK + CHECK.replace("test_go", "test_go_again"))
    first, second = toy.verdict("--kata-all-stages").checks
    assert (first.outcome, second.outcome) == (Outcome.HANG, Outcome.HANG)
    assert first.message == second.message
    assert second.seconds < first.seconds / 4
