"""The explanation of a solved variant: its cause, alerts, experiments, wrong fixes, and right designs."""
