"""A program that drips: however little it sends or reads at a time, the whole conversation with it has an end."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from drill_katas.sut.wire import Channel
from tests.deeds import GRACE, HANG, PASS, judge, notes

CALLS, STACKS = 3, 5  # the descriptors that a program has of its judge's
MODULE = f"""
import os, signal, sys, threading, time


def drip(fd, piece):
    while True:
        os.write(fd, piece)
        time.sleep(0.004)


class Thing:
    def fine(self):
        return "fine"

    def stacks(self, _):
        threading.Thread(target=drip, args=({STACKS}, b"x"), daemon=True).start()
        time.sleep(3600)

    def answer(self, _):
        os.write({CALLS}, b'{{"ok": "')
        drip({CALLS}, b"x")

    def logs(self, _):
        drip({CALLS}, b'{{"log": 0}}\\n')

    def request(self, _):
        os.write({CALLS}, b'{{"ok": "not yet"}}\\n')
        while True:
            os.read({CALLS}, 4096)
            time.sleep(0.05)
"""
CHECKS = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        for _ in range(2):
            thing.METHOD("x" * 900_000)

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''


@pytest.mark.parametrize("method", ["stacks", "answer", "logs", "request"])
def test_a_program_that_drips_hangs_in_time(toy, method):
    """The budget of a call is its own, and of the stacks that are asked for after it there is a bound in all."""
    toy.limits(call_seconds=1.0)
    toy.module(MODULE)
    toy.checks(CHECKS.replace("METHOD", method))
    (check, after), _ = judge(toy)
    assert check.outcome is HANG, check.message
    assert check.seconds < 20  # such stacks kept a judge for half an hour
    assert after.outcome is PASS, after.message


def test_an_idle_program_is_asked_for_no_stacks(toy):
    """A check that has used up its budget asks for nothing: the program is killed first, for it has nothing to tell."""
    asked = notes(toy)
    toy.module(f"""
        import os, signal


        class Thing:
            def go(self):
                signal.signal(signal.SIGUSR1, lambda *_: open({str(asked)!r}, "a").write("asked"))
                return "gone"
    """)
    toy.checks('''
        import time

        @pytest.mark.stage("symptom")
        @pytest.mark.timeout(1)
        def test_go(sut):
            """It goes."""
            with sut.open("Thing") as thing:
                thing.go()
                while sut.trial.seconds_left():
                    time.sleep(0.01)
                raise AssertionError("the block fails, and lets the object go")
    ''')
    check = toy.check()
    assert "the block fails" in check.message
    assert asked.read_text() == ""


def test_a_frame_that_is_read_in_drips_is_given_up():
    """The time is that of the whole frame, and each part that is taken gives no more."""
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.01):
            theirs.recv(4096)

    with ours, theirs:
        reader = threading.Thread(target=drip)
        reader.start()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            Channel(ours).send({"x": "x" * 10_000_000}, left=lambda: began + 0.5 - time.monotonic())
        assert time.monotonic() < began + 0.5 + GRACE
        over.set()
        reader.join()
