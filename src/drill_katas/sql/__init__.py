"""The SQL server of a check: SQLite in a process of its own, with limits on the cost of a statement."""
