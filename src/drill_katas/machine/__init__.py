"""Resources of the host: processor time, file descriptors, memory, /proc."""
