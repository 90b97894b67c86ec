"""Katas of production failures, judged where the learner's code never runs."""

__version__ = "0.1.0"
