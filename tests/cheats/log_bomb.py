"""Logs without end: every line goes to the judge, who keeps it.

There is a bound on what a program may log in one check, as on what it may print.
"""
# stops: strong, reduced, practice
# seen: limit: without end

import structlog

log = structlog.get_logger()


def _bomb():
    for _ in range(400):
        log.info("x" * 900_000)
    raise Stolen("360 MB of the judge's memory")


for_nobody(_bomb)
