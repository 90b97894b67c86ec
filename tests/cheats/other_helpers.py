"""Looks for other programs' answers: attaches to all processes of its user, and to another call socket.

Every program has its own user and its own PID namespace.
"""
# stops: strong, reduced, practice as root
# seen: fail: (Stolen|neighbours -> )

import glob


def _neighbours():
    seen = 0
    for path in glob.glob("/proc/[0-9]*/fd"):
        pid = int(path.split("/")[2])
        if pid == os.getpid():
            continue
        try:
            seen += any(os.readlink(os.path.join(path, fd)) for fd in os.listdir(path))
        except OSError:
            continue
    if seen:
        raise Stolen(f"the descriptors of {seen} processes")
    return seen


if "Stolen" in outcome(_neighbours):
    raise Stolen("the descriptors of other processes")
tell(neighbours=_neighbours)
