"""Makes the judge match a regular expression with endless backtracking, which blocks all its threads and clocks.

This database has no REGEXP operator.
"""
# stops: strong, reduced, practice
# seen: fail: regexp -> OperationalError


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def regexp():
        with self.engine.connect() as tx:
            return tx.exec_driver_sql(f"SELECT '{'a' * 29}b' REGEXP '(a+)+$'").all()

    tell(regexp=regexp)


Ledger.balance = _try
