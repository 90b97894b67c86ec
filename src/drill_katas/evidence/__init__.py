"""What an incident leaves behind: the replay that makes it; its logs, traces, metrics and alerts; questions to them."""
