"""The code that runs in the process of the system under test."""
