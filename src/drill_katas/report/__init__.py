"""Text for people, made from plain data; nothing here knows pytest or click."""
