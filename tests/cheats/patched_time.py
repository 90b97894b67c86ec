"""Stops every clock of its process, and makes sleeping free, so that it is never late.

The judge uses its own clock in its own process, and kills from outside.
"""
# stops: strong, reduced, practice
# seen: hang: no answer within 2 s

import select
import time

_really = time.sleep
time.monotonic = time.time = time.perf_counter = time.process_time = lambda: 0.0
time.sleep = lambda seconds: None
select.poll = select.select = None


for_nobody(lambda: _really(60))
