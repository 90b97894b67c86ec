"""The investigation of an incident: case, experiments, hypothesis, score."""
