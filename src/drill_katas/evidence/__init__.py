"""The evidence of an incident: the replay, its logs, traces, metrics, and alerts, and queries of them."""
