"""Has SQLite search long texts, for minutes: to it that is one instruction, and it looks at no clock meanwhile.

A statement has a second of processor time; beyond it the process that SQL runs in is ended.
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
