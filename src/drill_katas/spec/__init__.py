"""Keeps a team's spec: the rules in SPEC.md, and the guardrails that cite and enforce them."""
