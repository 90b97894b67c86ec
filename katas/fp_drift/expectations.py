"""Expectations of single calls: shares, places, and purchases."""

from drill_katas import kit

from .oracle import CHARGES, PURCHASES, event, expect_money, order


def expect_fair_shares(ledger, whole, to):
    """Split an amount; expect the shares to add up and to be fair."""
    currency = whole["currency"]
    ledger.apply(whole | {"to": to})
    shares = [ledger.balance(account, currency) for account in to]
    seen = f"{whole['amount']} {currency} split in {len(to)} gave {' + '.join(shares)}"
    assert sum(map(kit.money.exact, shares)) == kit.money.exact(whole["amount"]), f"{seen}, which is not the whole"
    units = [kit.money.minor(share, currency) for share in shares]
    assert max(units) - min(units) <= 1, f"{seen}; shares may differ by one smallest unit at most"
    left = -kit.money.minor(whole["amount"], currency)
    expect_money(ledger.balance(whole["account"], currency), left, currency, "after a split the split account")
    expect_money(ledger.book(currency), 0, currency, "after a split the book")


def expect_places(ledger):
    """Expect each answer to have the places of its currency."""
    for currency, zero, paid, right in (
        ("USD", "0.00", "7", "7.00"),
        ("EUR", "0.00", "7.5", "7.50"),
        ("JPY", "0", "7", "7"),
        ("BHD", "0.000", "7.25", "7.250"),
    ):
        answer = ledger.balance("nobody", currency)
        assert answer == zero, f"the balance of an unknown account is {answer} {currency}; it should be {zero}"
        ledger.apply(event("payment", paid, currency))
        answer = ledger.balance("wallet", currency)
        assert answer == right, f"the balance after a payment of {paid} {currency} is {answer}, not {right}"
        ledger.apply(event("refund", paid, currency))
        answer = ledger.balance("wallet", currency)
        assert answer == zero, f"the balance after a refund of all {currency} is {answer}, not {zero}"


def expect_purchases(ledger, gateway):
    """Check out orders; expect the account and the book to have what was charged."""
    for number, (amount, currency, outcome) in enumerate(PURCHASES):
        answer = ledger.checkout(order(amount, number, currency=currency))
        assert answer == outcome, f"an order of {amount} {currency} is {answer}; it should be {outcome}"
    for currency, right in CHARGES.items():
        paid = sum(units for units, of in gateway.charged if of == currency)
        expect_money(kit.money.text(paid, currency), right, currency, "after the orders the sum of all charges")
        expect_money(ledger.balance("wallet", currency), right, currency, "after the orders the account")
        expect_money(ledger.book(currency), right, currency, "after the orders the book")
