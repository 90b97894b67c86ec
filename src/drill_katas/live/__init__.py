"""`kata serve`: a kata's broken system, live, to scrape, call by hand, and follow."""
