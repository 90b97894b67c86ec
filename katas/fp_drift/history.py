"""The work of a posting, early and late in a long day."""

from itertools import chain

from drill_katas import kit

from .oracle import event, open_ledger, order


def rounds_of_postings(sut, rounds):
    """Post one event of each kind and a redelivery in each round; return the statements of each round."""
    database, first = kit.database(), event("payment", "7.00")
    recorded = []
    with open_ledger(sut, database) as ledger:
        ledger.apply(first)
        for number in range(1, rounds + 1):
            if number % 3 == 0:
                ledger.checkout(order("1.00", number))
            with database.recorded() as statements:
                ledger.apply(event("payment", f"{number}.00"))
                ledger.apply(event("refund", f"{number}.00"))
                ledger.apply(event("fee", f"{number}.00", rate="0.025", account=f"wallet-{number}"))
                ledger.apply(event("split", f"{number}.00", to=["shop", "tax"]))
                ledger.apply(kit.events.again(first, delivery=1 + number))
            recorded.append(statements)
    return recorded


def expect_no_growth(sut, rounds):
    """Expect the last 45 of 100 rounds to cost no more than 45 early ones, apart from a small tolerance."""
    _expect(sut, rounds, "take {} statements", lambda _: 1)
    _expect(sut, rounds, "fetch {} rows", lambda statement: statement.rows)
    _expect(sut, rounds, "send and fetch {} bytes", lambda statement: statement.size, tolerance=1.3)
    _expect(sut, rounds, "cost {} database instructions", lambda statement: statement.work, tolerance=1.2)


def _expect(sut, rounds, what, cost, tolerance=1.1):
    early, late = (
        sum(cost(each) for statements in part for each in statements) for part in (rounds[5:50], rounds[55:])
    )
    sut.counted(f"{what.split()[-1]} of 45 late events of each kind", late)
    assert late <= early * tolerance, (
        f"45 events of each kind {what.format(early)} at the beginning of the day, and {late} at its end; "
        f"the costliest statement there:\n{kit.costliest(chain(*rounds[55:]), cost)}"
    )
