"""The learner's folder: the workspace, the journal, and what both add up to."""
