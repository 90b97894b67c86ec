"""Disables every timer and alarm of its process with setitimer(0), and exceeds its time.

The timer that counts runs in the judge.
"""
# stops: strong, reduced, practice
# seen: hang: no answer within 2 s

import signal
import time


def _go_on():
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)
    signal.alarm(0)
    time.sleep(60)


for_nobody(_go_on)
