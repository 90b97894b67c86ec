"""Uses SQLite's access to files, libraries, and process memory: extensions, directories, schemas.

Extensions are off, and only pragmas that a program needs are allowed.
"""
# stops: strong, reduced, practice
# seen: fail: extension -> \w*Error.*tokenizer -> \w*Error.*directory -> \w*Error.*schema -> \w*Error.*heap -> \w*Error


def _try(self, account, currency):
    if account != "nobody":
        return "0"

    def sql(statement):
        def carry_out():
            with self.engine.connect() as tx:
                return tx.exec_driver_sql(statement).all()

        return carry_out

    tell(
        extension=sql("SELECT load_extension('/tmp/museum.so')"),
        tokenizer=sql("SELECT hex(fts3_tokenizer('simple'))"),
        directory=sql("PRAGMA temp_store_directory = '/tmp'"),
        schema=sql("PRAGMA writable_schema = 1"),
        heap=sql("PRAGMA hard_heap_limit = 100000"),
    )


Ledger.balance = _try
