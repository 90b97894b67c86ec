"""The SQL server of a check: SQLite in a process of its own, with bounds on what a statement may cost."""
