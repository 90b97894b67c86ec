"""The learner's folder: the workspace, the journal, and the progress that they imply."""
