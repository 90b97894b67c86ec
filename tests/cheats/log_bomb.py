"""Logs endlessly, because every line goes to the judge, which stores it.

Stored lines of one check have a bound, as printed output has.
"""
# stops: strong, reduced, practice
# seen: limit: most of it log lines

import structlog

log = structlog.get_logger()


def _bomb():
    for _ in range(400):
        log.info("x" * 900_000)
    raise Stolen("360 MB of the judge's memory")


for_nobody(_bomb)
