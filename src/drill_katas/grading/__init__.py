"""Grading: submissions, read as hostile data, judged, and scored."""
