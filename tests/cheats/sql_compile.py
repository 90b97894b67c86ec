"""Makes SQLite compile two statements: one that takes minutes to compile, and one of 400 KB; neither begins to run.

A statement has at most 256 KB and one second of processor time, which includes compiling.
"""
# stops: strong, reduced, practice
# seen: limit: the statement WITH a0.* (1 s of processor time|512 MiB)

DOUBLED = ", ".join(f"a{k} AS (SELECT x FROM a{k - 1} UNION ALL SELECT x FROM a{k - 1})" for k in range(1, 26))


def _init(self, engine, gateway):
    self.engine = engine


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def sql(statement):
        with self.engine.connect() as tx:
            return tx.exec_driver_sql(statement).all()

    long = outcome(lambda: sql(f"SELECT 1 IN ({', '.join(['1'] * 140_000)})"))
    if "Error" not in long:
        raise Stolen(long)
    tell(compile=lambda: sql(f"WITH a0(x) AS (SELECT 1), {DOUBLED} SELECT count(*) FROM a25"))


Ledger.__init__, Ledger.balance = _init, _try
