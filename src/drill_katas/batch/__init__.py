"""Many judges: the clients of warm judges, and their pool."""
