"""Renices all processes of its user, moves to another processor, flushes all disks, and locks a file of Python.

None of these opens a file. seccomp refuses all these calls, even for the program itself.
"""
# stops: strong, reduced
# seen: fail: (Stolen|nice -> .*affinity -> .*disks -> .*lock -> )

import fcntl

_ACTS = {
    "nice": lambda: os.setpriority(os.PRIO_USER, 0, os.getpriority(os.PRIO_PROCESS, 0)),
    "affinity": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "disks": lambda: syscall(306, 1),  # syncfs
    "lock": lambda: fcntl.flock(open(os.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB),
}

_done = [name for name, act in _ACTS.items() if outcome(act).startswith("done")]
if _done:
    raise Stolen(", ".join(_done))
tell(**_ACTS)
