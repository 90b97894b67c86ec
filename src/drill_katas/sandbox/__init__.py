"""The sandbox of the SUT: the zygote that forks it, and the restrictions that the fork puts on itself."""
