"""Forks endlessly.

Processes are counted and limited; at the limit, fork(2) fails or the program is ended.
"""
# stops: strong, reduced, practice
# seen: limit: more (than its \d+ )?processes

import time


def _bomb(self, engine, gateway):
    for _ in range(2000):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)


Ledger.__init__ = _bomb
