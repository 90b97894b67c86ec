"""Certificates: every arm of a kata, judged on every check."""
