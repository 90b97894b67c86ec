"""The post-mortem of a kata: its file, the parts that are generated, its checks, its score, and its page."""
