"""Batch judging: clients of prefork judges, and a pool of them."""
