"""Katas of production failures, judged where the learner's code never runs."""
