"""Asks for rows without end, which the judge fetches all: its memory has no bound, being nobody's but its own.

A statement has a bound on what it returns, and on the work that it may cost.
"""
# stops: strong, reduced, practice
# seen: fail: rows -> \w*Error.*work -> \w*Error.*blob -> \w*Error


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def sql(statement):
        def carry_out():
            with self.engine.connect() as tx:
                tx.exec_driver_sql(statement).all()
            raise Stolen("all that was asked for")

        return carry_out

    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {})"
    tried = {
        "rows": numbers.format(3_000_000) + " SELECT i, 'x' || i FROM n",
        "work": numbers.format(400_000_000) + " SELECT count(*) FROM n",
        "blob": "SELECT length(zeroblob(900000000)), randomblob(100000000) IS NULL",
    }
    told = "; ".join(f"{name} -> {outcome(sql(statement))}" for name, statement in tried.items())
    raise Stolen(told) if "Stolen" in told else Tried(told)


Ledger.balance = _try
