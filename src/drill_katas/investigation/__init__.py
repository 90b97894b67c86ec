"""An investigation: a case, experiments, a hypothesis and its score."""
