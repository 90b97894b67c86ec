"""A kata's broken system, live: its incident plays on and on, to be scraped, called by hand and followed."""
