"""Wait-for chains: calls without an answer yet, and cycles in them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.services.hops import Hop


def chains(hops: Iterable[Hop]) -> list[list[Hop]]:
    """Return the chains of open calls. Each call after the first is made by the node that received the call before it.

    Chains are in the order of their first calls.
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
    """Return the cycles in the chains of open calls.

    A chain has a cycle if its last call goes to a node that an earlier call of the chain also went to. The cycle starts
    with that earlier call and ends with the last call.
    """
    found = []
    for chain in chains(hops):
        for number, hop in enumerate(chain[:-1]):
            if hop.callee == chain[-1].callee:
                found.append(chain[number:])
                break
    return found


def describe(hops: Sequence[Hop], workers: int) -> str:
    """Return the open calls in words; `workers` is the number of workers of each node.

    | calls | text |
    | --- | --- |
    | with a cycle | "they wait in a cycle: checkout#3 -> stock#1 -> pricing#2 -> checkout (4 of 4 workers held)" |
    | without | the open calls of each node, and the longest chain |

    A call that waits for another call holds a worker.
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
    counts = ", ".join(f"{node} {number}" for node, number in nodes.items())
    longest = max(chains(hops), key=len)
    return f"open calls: {counts}; the longest chain of them is {' -> '.join(map(str, longest))}, which calls nobody"


def most_open(hops: Iterable[Hop], caller: str, callee: str) -> int:
    """Return the most calls from `caller` to `callee` that were open at once."""
    return max_overlap([hop for hop in hops if (hop.caller, hop.callee) == (caller, callee)])


def max_overlap(hops: Iterable[Hop]) -> int:
    """Return the most calls that were open at once. A call that ends when another begins does not overlap it."""
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
