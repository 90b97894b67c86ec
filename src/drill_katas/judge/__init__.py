"""Starts, limits, talks to and kills the system under test. Never imports the learner's module."""
