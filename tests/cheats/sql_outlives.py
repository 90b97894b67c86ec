"""Starts long statements on threads and returns: they run for minutes after the check.

The process that runs SQL ends with its check, even during a statement.
"""
# stops: strong, reduced, practice
# seen: fail: begun -> done

import threading
import time

NEEDLE = "instr(hex(zeroblob(120000)), hex(zeroblob(60000)) || '1')"


def _init(self, engine, gateway):
    self.engine = engine


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def run():
        with self.engine.connect() as tx:
            tx.exec_driver_sql(f"SELECT {' + '.join([NEEDLE] * 50)}")

    def begin():
        for _ in range(4):
            threading.Thread(target=run, daemon=True).start()
        time.sleep(0.1)

    tell(begun=begin)


Ledger.__init__, Ledger.balance = _init, _try
