"""Grading: fixes that somebody has handed in, read as hostile data, judged, and scored."""
