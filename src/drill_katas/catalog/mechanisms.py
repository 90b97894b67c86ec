"""The closed list of what a root cause can be: one taxonomy for all katas. A diagnosis names one of these, or more."""

from __future__ import annotations

from typing import Final

MECHANISMS: Final = {
    "rounding-error": "numbers are kept or computed in a form that cannot hold them exactly",
    "duplicate-effect": "a message or request that comes again takes effect again",
    "volatile-state": "what must be remembered is only in memory, and gone with a restart",
    "lost-update": "two writers overwrite each other's change, or act on what is no longer so",
    "wrong-order": "an effect comes before what it depends on: acknowledged before done, told before written",
    "poison-message": "one bad record stops everything behind it",
    "circular-wait": "services or workers wait for each other in a circle",
    "nested-acquisition": "one of a bounded pool is held while another of the same pool is waited for",
    "resource-leak": "what was taken from a pool is not given back on some way out",
    "memory-leak": "memory is kept that nobody needs any more",
    "missing-deadline": "somebody waits without an end",
    "unbounded-queue": "more is taken on than can ever be done in time",
    "retry-storm": "tries that are made again keep a system down",
    "n-plus-one": "one statement or call is made for each item, where one would do for all",
    "blocked-event-loop": "a call that blocks stops everything else in the process",
    "cache-stampede": "many load the same thing at once because it has just expired",
    "stale-cache": "what is shown is no longer so",
    "crossed-replies": "a reply reaches somebody else than who asked",
    "slow-query": "a statement looks through more than it needs: a missing index, a whole table",
    "cpu-saturation": "a processor is busy, and others wait for it",
    "undersized-capacity": "all works as it should, and there is more load than room",
    "upstream-outage": "somebody else's service is down or slow, and ours takes it as it comes",
    "configuration-drift": "what runs is not what is declared",
    "bad-deploy": "the last deploy brought the fault, and without it all is well",
    "clock-error": "clocks differ, or time is reckoned wrongly",
    "false-alarm": "nothing is broken; the alert is",
}
GROUPS: Final = {
    "data is wrong": (
        "rounding-error", "duplicate-effect", "volatile-state", "lost-update", "wrong-order", "stale-cache",
        "crossed-replies",
    ),
    "work stops or waits": (
        "circular-wait", "nested-acquisition", "resource-leak", "missing-deadline", "poison-message",
        "blocked-event-loop",
    ),
    "more load than room": (
        "unbounded-queue", "retry-storm", "n-plus-one", "cache-stampede", "slow-query", "cpu-saturation", "memory-leak",
        "undersized-capacity",
    ),
    "around the program": ("upstream-outage", "configuration-drift", "bad-deploy", "clock-error", "false-alarm"),
}  # fmt: skip
"""The mechanisms by group; each is in one."""
NOTHING: Final = "nothing"  # the component of a false alarm
