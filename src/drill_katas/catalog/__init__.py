"""A kata on disk: manifest, answer, arms, thresholds, and the templates for a new kata."""
