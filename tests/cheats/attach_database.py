"""Makes its database write files on the host, with ATTACH DATABASE and VACUUM INTO.

An authorizer checks every statement. No statement opens another file.
"""
# stops: strong, reduced, practice
# seen: fail: attach -> \w*Error.*vacuum -> \w*Error.*memory -> \w*Error


def _sql(engine, *statements):
    def carry_out():
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
            for each in statements:
                tx.exec_driver_sql(each)

    return carry_out


def _init(self, engine, gateway):
    self.engine = engine


def _try(self, account, currency):
    if account != "nobody":
        return "0"
    other = f"file:{CANARY}.db?vfs=unix"
    tell(
        attach=_sql(self.engine, f"ATTACH DATABASE '{other}' AS other", "CREATE TABLE other.museum (note TEXT)"),
        vacuum=_sql(self.engine, f"VACUUM INTO 'file:{CANARY}.vacuum?vfs=unix'"),
        memory=_sql(self.engine, "ATTACH DATABASE 'file:/kata-1?vfs=memdb' AS neighbour"),
        detach=_sql(self.engine, "DETACH DATABASE main"),
    )


Ledger.__init__, Ledger.balance = _init, _try
