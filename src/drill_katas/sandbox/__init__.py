"""The way to the system under test: the zygote it is forked from, and what it may not do."""
