"""The books as a plain-text ledger for beancount (https://beancount.github.io), which checks that it balances."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from internal.books.activities import ActivityKind
from internal.books.ledger import Books, Entry
from internal.books.lots import Lot
from internal.venue.money import ZERO, plain

CASH: Final = "Assets:Broker:Cash"
SHARES: Final = "Assets:Broker:Shares"
GAINS: Final = "Income:Gains"
TRANSFERS: Final = "Equity:Transfers"
ROUNDING: Final = (
    "Equity:Rounding"  # a part of a lot is rounded to the cent, beancount takes the exact share of its cost
)
ROUNDING_STEP: Final = Decimal("0.000001")
OTHER: Final = "Income:Other"
ACCOUNTS: Final = {
    ActivityKind.DIVIDEND: "Income:Dividends",
    ActivityKind.INTEREST: "Income:Interest",
    ActivityKind.FEE: "Expenses:Fees",
    ActivityKind.BORROW: "Expenses:Borrow",
    ActivityKind.TRANSFER: GAINS,
    ActivityKind.CASH_IN_LIEU: GAINS,
}
HEADER: Final = """option "title" "pocketsizefund"
option "operating_currency" "USD"
option "inferred_tolerance_default" "USD:0.005"
"""


def write_beancount(books: Books) -> str:
    """The ledger as text: a transaction an activity, and what is held at the end as assertions."""
    if not books.entries:
        return HEADER
    first, last = (books.entries[place].rows[0].day for place in (0, -1))
    accounts = sorted({CASH, SHARES, GAINS, TRANSFERS, ROUNDING, OTHER, *ACCOUNTS.values()})
    opened = [f"{first} open {account}" for account in accounts]
    labels = _Labels()
    transactions = [_transaction(entry, labels) for entry in books.entries]
    return "\n".join([HEADER, *opened, "", *transactions, *_assertions(books, last + timedelta(days=1)), ""])


def commodity(ticker: str) -> str:
    """The ticker as beancount writes a commodity: two or more of capitals, digits and `'._-`, a letter first."""
    name = re.sub(r"[^A-Z0-9'._-]", "-", ticker.upper())
    name = name if name[:1].isalpha() else f"X{name}"
    return name if len(name) > 1 and name[-1].isalnum() else f"{name}-X"


class _Labels:
    """The label by which beancount finds a lot again, and its cost a share: new ones each time that the lot is put."""

    def __init__(self) -> None:
        self._count = 0
        self._labels: dict[tuple[int, str], tuple[str, Decimal]] = {}

    def put(self, lot: Lot) -> str:
        self._count += 1
        label = f"{lot.number}-{self._count}"
        self._labels[lot.number, lot.ticker] = label, abs(lot.basis) / abs(lot.quantity)
        return label

    def find(self, lot: Lot) -> tuple[str, Decimal]:
        return self._labels[lot.number, lot.ticker]


def _transaction(entry: Entry, labels: _Labels) -> str:
    row = entry.rows[0]
    texts = ", ".join(dict.fromkeys(filter(None, (f"{row.type} {row.ticker or ''}".strip(), row.description))))
    return "\n".join([f"{row.day} * {_quote(texts)}", *_postings(entry, labels), ""])


def _postings(entry: Entry, labels: _Labels) -> Iterator[str]:
    rounding = ZERO
    for lot in entry.taken:
        label, cost = labels.find(lot)
        rounding += lot.quantity * cost - lot.basis
        yield f'  {SHARES}  {plain(-lot.quantity)} {commodity(lot.ticker)} {{"{label}"}}'
    for lot in entry.put:
        total = f'{abs(lot.basis):.2f} USD, {lot.opened}, "{labels.put(lot)}"'
        yield f"  {SHARES}  {plain(lot.quantity)} {commodity(lot.ticker)} {{{{{total}}}}}"
    yield from _dollars(CASH, entry.cash)
    yield from _dollars(TRANSFERS, -entry.flow)
    yield from _dollars(GAINS, -entry.gains)
    for (_, kind), dollars in entry.income.items():
        yield from _dollars(ACCOUNTS.get(kind, OTHER), -dollars)
    if rounded := rounding.quantize(ROUNDING_STEP):
        yield f"  {ROUNDING}  {rounded:f} USD"


def _dollars(account: str, amount: Decimal) -> Iterator[str]:
    if amount:
        yield f"  {account}  {amount:.2f} USD"


def _assertions(books: Books, day: date) -> Iterator[str]:
    """What is held at the end, exactly."""
    yield f"{day} balance {CASH}  {books.cash:.2f} ~ 0.00 USD"
    for ticker, shares in books.shares.items():
        yield f"{day} balance {SHARES}  {plain(shares)} ~ 0.00 {commodity(ticker)}"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "/").replace('"', "'").replace("\n", " ") + '"'
