"""Disguises queries as transaction statements, which are not counted: BEGIN; SELECT, and leading comments.

A request contains one statement, which is classified by its first word.
"""
# stops: strong, reduced, practice
# seen: fail: begin -> \w*Error.*end -> \w*Error.*pragma -> \w*Error


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def sql(statement):
        def carry_out():
            with self.engine.connect() as tx:
                return tx.exec_driver_sql(statement).all()

        return carry_out

    tell(
        begin=sql("SAVEPOINT a; SELECT 1"),
        end=sql("RELEASE (SELECT 1)"),
        pragma=sql("PRAGMA user_version = (SELECT 1)"),
    )


Ledger.balance = _try
