"""What runs in the process of the system under test, and nothing else of this package does."""
