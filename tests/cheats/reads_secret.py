"""Reads a file that only the grader's user can read, at its path and through every folder of /proc.

Its file system has neither that path nor /proc, and it cannot bypass file modes.
"""
# stops: strong, reduced
# through: practice
# seen: fail: (Stolen|secret -> .*proc -> )

import glob


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        show(file.read(), "museum-secret")
    return "nothing"


def _proc():
    found = glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd")
    for each in found:
        try:
            _read(each + SECRET_FILE)
        except OSError:
            pass
    return len(found)


for _act in (lambda: _read(SECRET_FILE), _proc):
    try:
        _act()
    except Stolen:
        raise
    except Exception:
        pass
tell(secret=lambda: _read(SECRET_FILE), proc=_proc)
