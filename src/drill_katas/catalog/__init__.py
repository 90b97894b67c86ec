"""A kata on disk: its manifest, answer, arms and thresholds, and the templates for a new one."""
