"""Who waits for whom: chains of calls that have no answer yet, and whether one comes back to where it began."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.services.hops import Hop


def chains(hops: Iterable[Hop]) -> list[list[Hop]]:
    """Return the chains of open calls, outermost call first: each was made to finish the one before it.

    A call belongs to the one that its caller is serving on the same trace and has begun earlier. Of several, as when
    a customer sends many requests on one trace, it is the earliest that has none yet. Chains are in the order of
    their outermost calls; a call without a known cause begins one.
    """
    begun: list[list[Hop]] = []
    for hop in sorted((hop for hop in hops if hop.status is None), key=lambda hop: hop.began):
        ends = (chain for chain in begun if chain[-1].callee == hop.caller and _same_trace(chain[-1], hop))
        chain = next(ends, None)
        if chain is None:
            begun.append([hop])
        else:
            chain.append(hop)
    return begun


def cycles(hops: Iterable[Hop]) -> list[list[Hop]]:
    """Return the chains whose last call is to a node that already serves a call of the same chain, from there on."""
    found = []
    for chain in chains(hops):
        for number, hop in enumerate(chain[:-1]):
            if hop.callee == chain[-1].callee:
                found.append(chain[number:])
                break
    return found


def describe(hops: Sequence[Hop], workers: int) -> str:
    """Say who waits for whom, as far as calls show it; `workers` is how many a node has.

    With a cycle: "checkout#3 -> stock#1 -> pricing#2 -> checkout (4 of 4 workers held)". A worker is held by a call
    that waits for another one. Without: the open calls of each node, and the longest chain of them.
    """
    closed = cycles(hops)
    if closed:
        cycle = closed[0]
        node = cycle[-1].callee
        held = sum(hop.callee == node for chain in chains(hops) for hop in chain[:-1])
        more = f", and {len(closed) - 1} more like it" if len(closed) > 1 else ""
        path = " -> ".join([*map(str, cycle[:-1]), node])
        return f"they wait in a cycle: {path} ({min(held, workers)} of {workers} workers held){more}"
    waiting = [hop for hop in hops if hop.status is None]
    if not waiting:
        return "no call is open"
    nodes = Counter(hop.callee for hop in waiting)
    told = ", ".join(f"{node} {number}" for node, number in nodes.items())
    longest = max(chains(hops), key=len)
    return f"open calls: {told}; the longest chain of them is {' -> '.join(map(str, longest))}, which calls nobody"


def most_open(hops: Iterable[Hop], caller: str, callee: str) -> int:
    """Return the most calls that one node has had open to another at once."""
    return max_overlap([hop for hop in hops if (hop.caller, hop.callee) == (caller, callee)])


def max_overlap(hops: Iterable[Hop]) -> int:
    """Return how many of these calls were open at once, at most. A call that ends when another begins is not."""
    changes = sorted(
        change for hop in hops for change in ((hop.began, 1), *([] if hop.ended is None else [(hop.ended, -1)]))
    )
    peak = now = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak


def _same_trace(one: Hop, other: Hop) -> bool:
    return one.trace_id is not None and one.trace_id == other.trace_id
