"""What the host gives a run: processor time, descriptors, /proc."""
