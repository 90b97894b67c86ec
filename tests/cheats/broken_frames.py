"""Answers with frames that are not JSON: a pickle that runs a command when it is loaded.

The wire format is JSON only; any other frame ends the program. The judge never unpickles.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

import pickle

from drill_katas.sut import wire


class Bomb:
    def __reduce__(self):
        return os.system, (f"echo pickled >> {CANARY}",)


wire.encode = lambda frame: pickle.dumps(Bomb(), protocol=0).replace(b"\n", b" ")
