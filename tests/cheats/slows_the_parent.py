"""Takes resources from its parents: prlimit on files, nice values, processors, and I/O priority.

This needs the same user, or a capability that it does not have.
"""
# stops: strong, reduced, practice as root
# seen: fail: prlimit -> .*nice -> .*affinity -> .*scheduler ->

import resource


def _parents():
    found = [os.getppid()]
    try:
        with open(f"/proc/{found[0]}/stat") as stat:
            found.append(int(stat.read().rpartition(")")[2].split()[1]))
    except OSError:
        pass
    return found


def _each(act):
    def on_each():
        for pid in _parents():
            if pid < 2:
                raise ProcessLookupError("not there")
            act(pid)
        raise Stolen("the parent's resources")

    return on_each


tell(
    prlimit=_each(lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (10, 10))),
    nice=_each(lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19)),
    affinity=_each(lambda pid: os.sched_setaffinity(pid, {0})),
    scheduler=_each(lambda pid: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))),
)
