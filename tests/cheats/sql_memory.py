"""Fills temporary tables of its database endlessly, in the memory of the database's process.

SQL runs in a separate process with 512 MiB, which ends when it exceeds them.
"""
# stops: strong, reduced, practice
# seen: limit: the statement CREATE TEMP TABLE .* 512 MiB

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)"


def _init(self, engine, gateway):
    self.engine = engine


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def fill():
        with self.engine.connect() as tx:
            tx.exec_driver_sql(f"CREATE TEMP TABLE x AS {NUMBERS} SELECT zeroblob(200000) FROM n")

    tell(memory=fill)


Ledger.__init__, Ledger.balance = _init, _try
