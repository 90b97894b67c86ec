"""One kata run inside pytest: what is registered only when a kata is asked for."""
