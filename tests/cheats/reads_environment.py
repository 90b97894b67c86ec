"""Reads the environment and arguments of its parent and of every process, to find the seed secret.

Its parent's environment is empty; other processes belong to another user or PID namespace.
"""
# stops: strong, reduced, practice as root
# seen: fail: (Stolen|environ -> )

import glob


def _environ():
    looked = 0
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/task/*/environ"):
        try:
            with open(path, "rb") as file:
                text = file.read().decode(errors="replace")
        except OSError:
            continue
        looked += 1
        show(text, "museum-seed")
    return looked


try:
    _environ()
except Stolen:
    raise
except Exception:
    pass
tell(environ=_environ)
