"""Catches everything, BaseException too, ignores every signal that can be, and goes on past every limit of time.

The limit is not raised in the program. It is killed from outside, by a signal that nothing can catch.
"""
# stops: strong, reduced, practice
# seen: hang: no answer within 2 s

import signal
import time


def _go_on():
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, lambda *_: None)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


for_nobody(_go_on)
