"""Whatever the learner's code does, its check ends with a verdict of its own, in time, and the next check is judged."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.verdict import CheckResult, Outcome, Report
from tests.conftest import CHECK, MANIFEST, Toy

if TYPE_CHECKING:
    from pathlib import Path

CRASH, FAIL, HANG, LIMIT, PASS = Outcome.CRASH, Outcome.FAIL, Outcome.HANG, Outcome.LIMIT, Outcome.PASS
GRACE = 2.0  # seconds that a verdict may come after the budget it is about
FUSE = (
    2_000  # forks after which a bomb burns out, so that a product that fails its test does not take the machine along
)

GO_AND_NEXT = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        assert thing.go() == "gone", "it should be gone"

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''
IMPORTS = "import ctypes, fcntl, json, mmap, os, resource, signal, socket, subprocess, sys, threading, time\n"


def module_of(*body: str) -> str:
    """Return a learner's module whose `go` has this body; its `fine` is fine."""
    go = "".join(f"        {line}\n" for line in body)
    return f'{IMPORTS}\n\nclass Thing:\n    def fine(self):\n        return "fine"\n\n    def go(self):\n{go}'


def judge(toy: Toy) -> tuple[tuple[CheckResult, ...], str]:
    """Judge the toy; return the results of its checks, and what stood on the terminal."""
    file = toy.root / "report.json"
    done = toy.pytest("--kata", "toy", "--kata-report", str(file))
    (verdict,) = msgspec.json.decode(file.read_bytes(), type=Report).katas
    return verdict.checks, done.stdout + done.stderr


def judge_body(toy: Toy, *body: str) -> CheckResult:
    """Judge a `go` with this body, see that the next check still passes, and return what `go` got."""
    toy.checks(GO_AND_NEXT)
    toy.module(module_of(*body))
    (go, after), _ = judge(toy)
    assert (after.name, after.outcome) == ("test_next", PASS), after
    return go


def notes(toy: Toy) -> Path:
    """Return a file that the learner's module may append to, whatever user it runs as."""
    file = toy.root / "notes"
    file.touch()
    file.chmod(0o666)
    return file


def test_a_call_that_never_returns_is_a_hang_with_the_stack_of_the_line_it_hangs_in(toy):
    toy.limits(call_seconds=1.0)
    toy.body("time.sleep(3600)")
    check = toy.check()
    assert check.outcome is HANG
    assert check.seconds < 1 + GRACE
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
    "replies_garbage": (FAIL, "no answer of the contract's"),
    "replies_without_a_value": (FAIL, "no answer of the contract's"),
    "replies_with_an_error_that_is_none": (FAIL, "no answer of the contract's"),
    "replies_with_an_unknown_error": (FAIL, "no answer of the contract's"),
    "recurses": (FAIL, "raised RecursionError: maximum recursion depth exceeded"),
}


def called_one_by_one(toy: Toy, methods: list[str]) -> dict[str, tuple[CheckResult, CheckResult]]:
    """Judge, in one run, each method in a check of its own and `fine` after it; return both results by method."""
    calls = ["fine", *(call for method in methods for call in (method, "fine"))]
    toy.checks(f'''
@pytest.mark.stage("symptom")
@pytest.mark.parametrize("method", {calls})
def test_call(sut, method):
    """It answers."""
    with sut.open("Thing") as thing:
        getattr(thing, method)()
''')
    checks = toy.verdict().checks
    return dict(zip(methods, zip(checks[1::2], checks[2::2], strict=True), strict=True))


@pytest.fixture(scope="module")
def misdeeds(tmp_path_factory) -> dict[str, tuple[CheckResult, CheckResult]]:
    toy = Toy(tmp_path_factory.mktemp("misdeeds"))
    toy.limits(call_seconds=1.5, memory_mib=128)
    toy.module(IMPORTS + MISDEEDS)
    return called_one_by_one(toy, list(OUTCOMES))


@pytest.mark.parametrize("method", OUTCOMES)
def test_a_call_that_goes_wrong_gets_its_own_verdict_in_time_and_spoils_no_other(misdeeds, method):
    check, after = misdeeds[method]
    outcome, says = OUTCOMES[method]
    assert check.outcome is outcome, check.message
    assert check.message.startswith(f"thing.{method}()")
    assert says in check.message
    assert check.seconds < 1.5 + GRACE
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


def test_a_hang_shows_the_stack_of_every_thread(misdeeds):
    check, _ = misdeeds["joins_a_thread_that_deadlocks"]
    threads = "\n".join(check.details).partition("thread 1:")[2]
    assert "thread 2:" in threads
    assert "in joins_a_thread_that_deadlocks" in threads
    assert "in deadlocks" in threads
    assert re.search(r"^ +threading\.py:\d+ in ", threads, re.MULTILINE), "a library's file is named within the library"


def test_a_deep_recursion_is_not_shown_frame_by_frame(misdeeds):
    check, _ = misdeeds["recurses"]
    frames = [line for line in check.details if "in recurses" in line]
    assert 1 <= len(frames) <= 40


@pytest.mark.parametrize(
    "in_the_child", ["pass", "os.setsid()"], ids=["in one session", "each in a session of its own"]
)
def test_a_fork_bomb_is_stopped_by_the_limit_on_processes(toy, in_the_child):
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
    assert check.seconds < 3 + GRACE
    assert 0 < forks.stat().st_size < FUSE


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
def test_an_import_that_goes_wrong_gets_its_own_verdict_in_time(toy, deed, outcome, says):
    imports = notes(toy)
    toy.limits(check_seconds=3.0)
    toy.checks(GO_AND_NEXT)
    first_time_only = f"notes = open({str(imports)!r}, 'a+')\nif notes.tell() == 0:\n    notes.write('.')\n"
    toy.module(f"{module_of()}        pass\n\n\n{first_time_only}    notes.close()\n    {deed}\n")
    (check, after), _ = judge(toy)
    assert check.outcome is outcome, check.message
    assert check.message.startswith("import of toy.py: ")
    assert says in check.message
    assert check.seconds < 3 + GRACE
    assert after.outcome is PASS, after.message


EXAMPLES = '''
@pytest.mark.stage("symptom")
@given(number=st.integers(0, 100))
def test_go(sut, number):
    """It doubles any number."""
    with sut.open("Thing") as thing:
        thing.fine()
        assert thing.double(number) == 2 * number

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''
WALKS = '''
from hypothesis.stateful import rule

class Walk(kit.Machine):
    @rule(number=st.integers(0, 100))
    def double(self, number):
        with self.sut.open("Thing") as thing:
            assert thing.double(number) == 2 * number

@pytest.mark.stage("symptom")
def test_go(sut):
    """It doubles any number."""
    kit.explore(Walk, sut)

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''


@pytest.mark.parametrize("checks", [EXAMPLES, WALKS], ids=["given", "explore"])
@pytest.mark.parametrize(("deed", "outcome"), [("time.sleep(3600)", HANG), ("os._exit(3)", CRASH)])
def test_an_example_that_kills_or_hangs_the_program_is_shown_and_no_other_is_tried(toy, checks, deed, outcome):
    tried = notes(toy)
    toy.limits(call_seconds=1.0)
    toy.checks(checks)
    toy.module(f"""
        import os, time

        class Thing:
            def fine(self):
                return "fine"

            def double(self, number):
                with open({str(tried)!r}, "a") as notes:
                    print(number, file=notes)
                if number > 9:
                    {deed}
                return 2 * number
    """)
    (check, after), _ = judge(toy)
    fatal = [number for number in tried.read_text().split() if int(number) > 9]
    assert check.outcome is outcome, check.message
    assert len(fatal) == 1, "Hypothesis tried more examples after the one that ended the check"
    assert check.message.startswith(f"thing.double({fatal[0]}): ")
    assert any(line.startswith(f"  thing.double({fatal[0]}) -> ") for line in check.details)
    assert check.seconds < 1 + GRACE
    assert after.outcome is PASS, after.message


def test_a_check_that_is_slow_over_many_calls_hangs_with_its_budget(toy):
    toy.limits(call_seconds=1.0, check_seconds=1.5)
    toy.checks(GO_AND_NEXT.replace("thing.go()", "[thing.go() for _ in range(100)]"))
    toy.module(module_of("time.sleep(0.1)"))
    (check, after), _ = judge(toy)
    assert check.outcome is HANG
    assert check.message == "thing.go(): the check did not end within its 1.5 s"
    assert check.seconds < 1.5 + GRACE
    assert any(line.endswith(" calls before these") for line in check.details)
    assert after.outcome is PASS, after.message


def test_a_failing_example_that_is_slow_to_shrink_is_still_a_failure(toy):
    toy.limits(call_seconds=1.0, check_seconds=2.0)
    toy.checks(EXAMPLES)
    toy.module(module_of("pass") + "    def double(self, number):\n        time.sleep(0.1)\n        return number\n")
    (check, after), _ = judge(toy)
    assert check.outcome is FAIL, check.message
    assert any(line.startswith("  thing.double(") for line in check.details)
    assert check.seconds < 2 + GRACE
    assert after.outcome is PASS, after.message


def printed(check: CheckResult) -> list[str]:
    """Return what the report says the program printed."""
    title = "What the program printed:"
    assert title in check.details, check.details
    return [line.removeprefix("  ") for line in check.details[check.details.index(title) + 1 :]]


def test_what_the_program_printed_is_shown_as_its_own(toy):
    check = judge_body(toy, 'print("to stdout")', 'print("to stderr", file=sys.stderr)', 'os.write(1, b"raw\\n")')
    assert check.message == "it should be gone"
    assert printed(check) == ["to stdout", "to stderr", "raw"]


def test_of_much_output_the_end_is_shown(toy):
    check = judge_body(toy, "for number in range(20_000):", "    print(number, '.' * 40)")
    shown = printed(check)
    assert shown[-1].startswith("19999 ...")
    assert len(shown) <= 20


def test_of_a_very_long_line_only_a_part_is_shown(toy):
    check = judge_body(toy, 'print("x" * 1_000_000)')
    assert len("\n".join(printed(check))) < 40_000
    assert any("bytes left out" in line for line in printed(check))


TRICKS = """
TRICK = chr(27) + "[31mred" + chr(27) + "[2J" + chr(155) + "1m" + chr(13) + chr(7) + chr(8238) + (
    chr(10) + "::notice::trick" + chr(10) + "  ::error::trick" + chr(10)
)

class Thing:
    def fine(self):
        return "fine"

    def prints(self):
        print(TRICK)
        raise ValueError("a plain one")

    def raises(self):
        raise ValueError(TRICK)

    def returns(self):
        return [TRICK]

    def has_a_repr(self):
        return type("Text", (), {"__repr__": lambda self: TRICK})()

    def names_a_class(self):
        return type(TRICK, (), {})()

    def raises_a_class_it_names(self):
        raise type(TRICK, (Exception,), {})
"""
TRICKSTERS = ["prints", "raises", "returns", "has_a_repr", "names_a_class", "raises_a_class_it_names"]


@pytest.fixture(scope="module")
def tricks(tmp_path_factory) -> tuple[tuple[CheckResult, ...], str]:
    toy = Toy(tmp_path_factory.mktemp("tricks"))
    toy.module(TRICKS)
    toy.checks(f'''
@pytest.mark.stage("symptom")
@pytest.mark.parametrize("method", {TRICKSTERS})
def test_call(sut, method):
    """It answers."""
    with sut.open("Thing") as thing:
        answer = getattr(thing, method)()
        assert answer is None, f"it answered {{answer[0]}}"
''')
    return judge(toy)


def plays_tricks(text: str) -> list[str]:
    """Return the lines that a terminal, or GitHub's runner, would take for more than text."""
    return [
        line
        for line in text.split("\n")
        # the runner takes a line for a command also when blanks stand before its colons
        if line.lstrip().startswith("::") or not line.replace("\t", "").isprintable()
    ]


@pytest.mark.parametrize("method", TRICKSTERS)
def test_what_the_program_says_is_reported_as_text_and_nothing_more(tricks, method):
    checks, _ = tricks
    (check,) = [check for check in checks if method == check.name[len("test_call[") : -1]]
    assert check.outcome is FAIL
    told = "\n".join((check.message, *check.details))
    assert "red" in told
    assert not plays_tricks(told)


def test_what_the_program_says_cannot_play_tricks_on_the_terminal_or_the_ci_log(tricks):
    _, terminal = tricks
    assert "red" in terminal
    assert not plays_tricks(terminal)


ASKED_FOR = "the contract in BRIEFING.md asks for it"
OTHERWISE = "the contract in BRIEFING.md calls it with other arguments"


def contract_broken(toy: Toy) -> CheckResult:
    """Judge the toy; see that its only check fails with one sentence and no traceback, and return it."""
    (check,), terminal = judge(toy)
    assert check.outcome is FAIL
    assert len(check.message.splitlines()) == 1
    assert "Traceback" not in terminal
    assert "kata-arm-" not in terminal, "a path in the judge's temporary folder is shown"
    return check


@pytest.mark.parametrize(
    ("source", "says", "line"),
    [
        ("class Thing:\n    def go(self):\n        return (\n", "SyntaxError: line 3: '(' was never closed", 3),
        ("class Thing:\n    def go(self):\n    return 1\n", "IndentationError: line 3: expected an indented block", 3),
        ("class Thing:\n\n    name = 'é'\n", "SyntaxError: line 3: (unicode error)", 3),
        ("\nimport no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'", 2),
        ("from toy.toy import nothing\n", "ImportError: cannot import name 'nothing'", 1),
        ("one = 1\ntwo = one / 0\n", "ZeroDivisionError: division by zero", 2),
    ],
    ids=["syntax", "indentation", "not UTF-8", "no such module", "no such name", "an exception"],
)
def test_a_module_that_cannot_be_imported_is_told_with_the_line_in_the_learner_s_own_file(toy, source, says, line):
    (toy.folder / "toy.py").write_text(source, encoding="latin-1")
    check = contract_broken(toy)
    assert check.message.startswith(f"toy.py cannot be imported: {says}")
    assert any(shown.startswith(f"  katas/toy/toy.py:{line} in <module>") for shown in check.details)


def test_a_module_with_a_null_byte_is_told_without_a_line_that_is_none(toy):
    toy.module("class Thing:\n    name = '\0'\n")
    message = contract_broken(toy).message
    assert message.startswith("toy.py cannot be imported: SyntaxError: ")
    assert "null bytes" in message
    assert "None" not in message


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class Think:\n    pass\n", f"Thing is missing in toy.py; {ASKED_FOR}"),
        ("class Thing:\n    pass\n", f"Thing.go is missing in toy.py; {ASKED_FOR}"),
        ("class Thing:\n    go = 5\n", f"Thing.go is missing in toy.py; {ASKED_FOR}"),
        (
            "class Thing:\n    def __init__(self, name):\n        pass\n",
            f"Thing(name): missing a required argument: 'name'; {OTHERWISE}",
        ),
        (
            "class Thing:\n    def go(self, where):\n        pass\n",
            f"Thing.go(where): missing a required argument: 'where'; {OTHERWISE}",
        ),
        ("class Thing:\n    @property\n    def go(self):\n        raise ValueError('no way')\n", "ValueError: no way"),
    ],
    ids=["no class", "no method", "a method that is none", "a constructor", "a method", "a property that raises"],
)
def test_a_module_that_does_not_keep_the_contract_is_told_what_the_contract_asks_for(toy, source, says):
    toy.module(source)
    assert says in contract_broken(toy).message


ANSWERS = """
import decimal, sys

class Text(str):
    pass

class Thing:
    def fine(self):
        return [None, True, 1, "text", {"key": [-1]}]

    def a_decimal(self):
        return decimal.Decimal("1.50")

    def a_float(self):
        return 1.5

    def a_nan(self):
        return float("nan")

    def a_set(self):
        return {1}

    def a_tuple_in_a_dict_in_a_list(self):
        return [0, {"key": (1, 2)}]

    def a_str_subclass(self):
        return Text("text")

    def a_dict_with_an_int_key(self):
        return {"key": {7: "seven"}}

    def a_dict_that_holds_itself(self):
        answer = {}
        answer["self"] = answer
        return answer

    async def a_coroutine(self):
        return 1

    def more_than_1_mb(self):
        return "x" * 1_500_000

    def a_surrogate(self):
        return ["fine", chr(0xD800)]

    def a_number_of_10_000_digits(self):
        return 10**10_000

    def an_exception_of_2_mb(self):
        raise ValueError("x" * 2_000_000)

    def a_syntax_error_of_its_own(self):
        return eval("1 +")

    def a_lock_that_is_taken(self):
        import fcntl
        first, second = open(__file__), open(__file__)
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""
SAID = {
    "a_decimal": "Thing.a_decimal returned a Decimal (Decimal('1.50'))",
    "a_float": "Thing.a_float returned a float (1.5)",
    "a_nan": "Thing.a_nan returned a float (nan)",
    "a_set": "Thing.a_set returned a set ({1})",
    "a_tuple_in_a_dict_in_a_list": "Thing.a_tuple_in_a_dict_in_a_list returned at [1]['key'] a tuple ((1, 2))",
    "a_str_subclass": "Thing.a_str_subclass returned a Text ('text')",
    "a_dict_with_an_int_key": "returned at ['key'] a dict key of type int (7)",
    "a_dict_that_holds_itself": "nesting deeper than 32 levels",
    "a_coroutine": "Thing.a_coroutine returned a coroutine (",
    "more_than_1_mb": "thing.more_than_1_mb(): the answer is larger than 1 MB",
    "a_surrogate": "Thing.a_surrogate returned at [1] ",
    "a_number_of_10_000_digits": "Thing.a_number_of_10_000_digits returned ",
    "an_exception_of_2_mb": "thing.an_exception_of_2_mb() raised ValueError: xxx",
    "a_syntax_error_of_its_own": "thing.a_syntax_error_of_its_own() raised SyntaxError: ",
    "a_lock_that_is_taken": "thing.a_lock_that_is_taken() raised BlockingIOError: ",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, tuple[CheckResult, CheckResult]]:
    toy = Toy(tmp_path_factory.mktemp("answers"))
    toy.module(ANSWERS)
    return called_one_by_one(toy, list(SAID))


@pytest.mark.parametrize("method", SAID)
def test_an_answer_that_cannot_be_taken_is_told_in_one_sentence(answers, method):
    check, after = answers[method]
    assert check.outcome is FAIL, check.message
    assert SAID[method] in check.message
    assert len(check.message.splitlines()) == 1
    assert len(check.message) < 2_000
    assert after.outcome is PASS, after.message


def test_an_answer_that_is_not_plain_data_is_told_what_would_be(answers):
    check, _ = answers["a_decimal"]
    assert check.message.endswith("; the contract asks for plain data: str, int, bool, None, list, dict")


def test_an_answer_that_cannot_be_taken_is_shown_among_the_calls_in_the_same_words(answers):
    check, _ = answers["a_decimal"]
    assert "  thing.a_decimal() -> Thing.a_decimal returned a Decimal (Decimal('1.50'))" in check.details


def test_whole_numbers_beyond_64_bits_come_back_exactly(toy):
    toy.checks(GO_AND_NEXT.replace('"gone"', "[2**63, 2**64, -(2**70), 10**30]"))
    toy.module(module_of("return [2**63, 2**64, -(2**70), 10**30]"))
    (check, _), _ = judge(toy)
    assert check.outcome is PASS, check.message


def test_an_exception_of_the_program_shows_its_message_and_the_learner_s_own_frames(toy):
    toy.checks(GO_AND_NEXT)
    toy.module(module_of('return json.loads("{")'))
    (check, _), terminal = judge(toy)
    assert check.outcome is FAIL
    assert check.message.startswith("thing.go() raised JSONDecodeError: Expecting property name")
    where = check.details[check.details.index("Where it was:") + 1 :]
    assert where == ('  katas/toy/toy.py:9 in go: return json.loads("{")',)
    assert "Traceback" not in terminal
    assert "kata-arm-" not in terminal


def test_a_program_that_kills_the_process_it_was_forked_from_spoils_only_its_own_check(toy):
    # as root it is not allowed to, since it runs as nobody then; for anyone else it is
    check = judge_body(toy, "os.kill(os.getppid(), signal.SIGKILL)", "time.sleep(3600)")
    assert check.outcome in {CRASH, FAIL}, check.message


def test_a_program_that_logs_without_end_hangs(toy):
    toy.write("kata.toml", f'{MANIFEST}preload = ["structlog"]\n[limits]\ncall_seconds = 1.0\n')
    toy.checks(GO_AND_NEXT)
    loop = textwrap.indent("while True:\n    structlog.get_logger().info('again')\n", " " * 8)
    toy.module(f"import structlog\n{module_of()}{loop}")
    (check, after), _ = judge(toy)
    assert check.outcome is HANG, check.message
    assert check.seconds < 1 + GRACE
    assert after.outcome is PASS, after.message


def test_a_module_that_hangs_at_import_is_waited_for_once_and_not_check_after_check(toy):
    toy.module("import time\n\ntime.sleep(60)\n")
    toy.checks(CHECK + CHECK.replace("test_go", "test_go_again"))
    first, second = toy.verdict("--kata-all-stages").checks
    assert (first.outcome, second.outcome) == (Outcome.HANG, Outcome.HANG)
    assert first.message == second.message
    assert second.seconds < first.seconds / 4
