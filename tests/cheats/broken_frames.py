"""Answers with frames that are no JSON: a pickle that would run a command where it is loaded.

The wire knows JSON alone, and what is none ends the program. Nothing is ever unpickled.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

import pickle

from drill_katas.sut import wire


class Bomb:
    def __reduce__(self):
        return os.system, (f"echo pickled >> {CANARY}",)


wire.encode = lambda frame: pickle.dumps(Bomb(), protocol=0).replace(b"\n", b" ")
