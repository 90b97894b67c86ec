"""One kata run inside pytest. These plugins are registered only with `--kata` or a kata's path."""
