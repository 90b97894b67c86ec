"""A SUT that exceeds a limit gets the outcome `limit`, and other SUTs are not affected."""

from __future__ import annotations

import contextlib
import json
import os

import pytest

from tests.support.deeds import LIMIT, judge_body
from tests.support.pack import Pack

FILLS_ITS_THREADS = """
import threading, time


class Thing:
    def go(self):
        threading.stack_size(65536)
        started = 0
        try:
            while started < 4000:
                threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
                started += 1
        except RuntimeError:
            time.sleep(2.5)
        return "gone" if started < 4000 else "no limit"
"""
NEEDS_TEN_THREADS = """
import threading, time


class Thing:
    def go(self):
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            ten = [threading.Thread(target=time.sleep, args=(0.05,)) for _ in range(10)]
            for thread in ten:
                thread.start()
            for thread in ten:
                thread.join()
        return "gone"
"""
TOUCHES = "for at in range(0, size, 2 << 20): space[at]"  # a page of page tables each
SPACE = "space = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)"


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


def test_page_tables_of_one_process_are_limited(toy):
    """512 GiB of address space, one byte read in every 2 MiB: not a page of memory, and 1 GiB of page tables."""
    check = judge_body(toy, "size = 512 << 30", SPACE, TOUCHES)
    assert check.outcome == LIMIT
    assert "asked for more than its 512 MiB" in check.message


def test_page_tables_of_many_processes_are_counted(toy):
    toy.limits(memory_mib=100)
    check = judge_body(
        toy,
        "size = 7 << 30",
        "for _ in range(12):",
        "    if os.fork() == 0:",
        f"        {SPACE}",
        f"        {TOUCHES}",
        "        time.sleep(20)",
        "time.sleep(20)",
    )
    assert check.outcome == LIMIT
    assert "used more than its 100 MiB of memory" in check.message


def test_descriptors_of_one_process_are_limited(toy):
    check = judge_body(
        toy,
        "held = []",
        "try:",
        "    while len(held) < 20_000: held.append(socket.socketpair())",
        "except OSError as error:",
        "    raise RuntimeError(f'{len(held)} pairs, {error.strerror}') from None",
    )
    assert "Too many open files" in check.message
    assert "50" in check.message.partition(" pairs")[0], "1,024 descriptors are about 500 pairs"


def test_descriptors_of_many_processes_are_counted(toy):
    check = judge_body(
        toy,
        "held = [socket.socketpair() for _ in range(250)]",
        "for _ in range(4):",
        "    if os.fork() == 0: break",
        "time.sleep(20)",
    )
    assert check.outcome == LIMIT
    assert "more than 1,024 files and sockets open" in check.message


@pytest.mark.long
@pytest.mark.parametrize("world", ["user", "no-namespaces", "no-unshare"])
def test_threads_of_a_neighbour_take_none_away(pack, world):
    """RLIMIT_NPROC counts all threads of a user, so one SUT used up the threads that another needed.

    Root gives each SUT a separate uid; an ordinary user without namespaces judges one at a time.
    """
    if os.geteuid() != 0 and world != "user":
        pytest.skip("only root can forbid namespaces, and has uids to give")
    pack.hand_in("fills", FILLS_ITS_THREADS)
    pack.hand_in("needs", NEEDS_TEN_THREADS)
    result = pack.elsewhere(world, "--jobs", "2", "--json", pack.file)
    assert result.returncode == 0, result.stderr
    assert "2 of 2 solved" in result.stdout, result.stdout
    assert json.loads(pack.file.read_bytes())["tier"] == ("strong" if world == "user" else "reduced")
    assert ("one submission at a time" in result.stderr) is (world == "no-namespaces")
