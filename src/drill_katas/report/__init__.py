"""Text for people, built from plain data, independent of pytest and click."""
