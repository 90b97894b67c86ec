"""The judge's side of one SUT: start it, limit it, call it, kill it. Never imports the learner's module."""
