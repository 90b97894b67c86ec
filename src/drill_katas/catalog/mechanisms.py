"""The closed list of mechanisms of a root cause, one taxonomy for all katas; a diagnosis names one or more."""

from __future__ import annotations

from typing import Final

MECHANISMS: Final = {
    "rounding-error": "numbers are stored or computed in a form that is not exact",
    "duplicate-effect": "a message or request that is delivered again takes effect again",
    "volatile-state": "state that must survive a restart is only in memory",
    "lost-update": "two writers overwrite each other's change, or act on outdated data",
    "wrong-order": "an effect comes before its precondition: acknowledged before done, sent before stored",
    "poison-message": "one bad record blocks everything behind it",
    "circular-wait": "services or workers wait for each other in a cycle",
    "nested-acquisition": "a task keeps one member of a bounded pool while it waits for another",
    "resource-leak": "some code path does not return a resource to its pool",
    "memory-leak": "memory that is no longer needed is never freed",
    "missing-deadline": "a wait has no time limit",
    "unbounded-queue": "more work is accepted than can be done in time",
    "retry-storm": "retries keep an overloaded system down",
    "n-plus-one": "one statement or call per item, where one for all items is enough",
    "blocked-event-loop": "a blocking call stops everything else in the process",
    "cache-stampede": "many callers load the same entry at once when it expires",
    "stale-cache": "a cached value is no longer current",
    "crossed-replies": "a reply reaches the wrong caller",
    "slow-query": "a statement reads more rows than it needs: a missing index, a full table scan",
    "cpu-saturation": "a processor is busy, and other work waits for it",
    "undersized-capacity": "everything works, but the load exceeds the capacity",
    "upstream-outage": "another team's service is down or slow, and ours has no protection against it",
    "configuration-drift": "the running configuration differs from the declared one",
    "bad-deploy": "the last deploy introduced the fault; a rollback removes it",
    "clock-error": "clocks differ, or a time is computed wrongly",
    "false-alarm": "nothing is broken; the alert is wrong",
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
    "more load than capacity": (
        "unbounded-queue", "retry-storm", "n-plus-one", "cache-stampede", "slow-query", "cpu-saturation", "memory-leak",
        "undersized-capacity",
    ),
    "outside the program": ("upstream-outage", "configuration-drift", "bad-deploy", "clock-error", "false-alarm"),
}  # fmt: skip
"""The mechanisms by group; each mechanism is in one group."""
NOTHING: Final = "nothing"  # the component of a false alarm
