"""Judges a learner's guardrail: right designs must pass its tests, and broken versions must fail them."""
