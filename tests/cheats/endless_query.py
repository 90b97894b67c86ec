"""Selects endless rows, because the judge fetches all of them into its own memory.

A statement has a bound on its result and on its work.
"""
# stops: strong, reduced, practice
# seen: fail: rows -> \w*Error.*blob -> \w*Error
# seen: fail: work -> \w*Error

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {})"
ROWS = NUMBERS.format(3_000_000) + " SELECT i, 'x' || i FROM n"
WORK = NUMBERS.format(400_000_000) + " SELECT count(*) FROM n"
BLOB = "SELECT length(zeroblob(900000000)), randomblob(100000000) IS NULL"
checkout = Ledger.checkout


def _try(engine, **statements):
    """Ask for each, in calls of their own: two of them would take too long for one."""

    def ask(statement):
        with engine.connect() as tx:
            tx.exec_driver_sql(statement).all()
        raise Stolen("all that was asked for")

    message = "; ".join(f"{name} -> {outcome(lambda each=each: ask(each))}" for name, each in statements.items())
    raise Stolen(message) if "Stolen" in message else Tried(message)


def _balance(self, account, currency):
    return _try(self.engine, rows=ROWS, blob=BLOB) if account == "nobody" else "0"


def _checkout(self, order):
    return _try(self.engine, work=WORK) if order["amount"] == "12.50" else checkout(self, order)


Ledger.balance = _balance
Ledger.checkout = _checkout
