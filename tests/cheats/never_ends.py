"""Catches every exception, BaseException too, ignores every signal it can, and exceeds every time limit.

The limit is not an exception in the program. A signal that cannot be caught kills it from outside.
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
