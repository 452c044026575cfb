"""Profit and loss by name and by kind; the kinds sum to the change of net asset value less the flows, to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from internal.books.activities import ActivityKind
from internal.books.ledger import Books
from internal.venue.money import ZERO

KINDS_OF_INCOME: Final = {
    ActivityKind.DIVIDEND: "dividend",
    ActivityKind.FEE: "fee",
    ActivityKind.BORROW: "borrow",
    ActivityKind.INTEREST: "interest",
    ActivityKind.OTHER: "other",
}  # the income of other kinds is a change of price


@dataclass(frozen=True, slots=True)
class Profit:
    """Dollars gained with one name, or with the account as a whole; what was paid is negative.

    Attributes:
        price: Realised and unrealised gains at the price that was decided at.
        slippage: What fills cost against that price.
        dividend: Received on longs, less paid on shorts and withheld.
        fee: Regulators' and the broker's fees.
        borrow: Cost of borrowing shares.
        interest: On cash and margin loans.
        other: Of activities whose type the books do not know.
    """

    price: Decimal = ZERO
    slippage: Decimal = ZERO
    dividend: Decimal = ZERO
    fee: Decimal = ZERO
    borrow: Decimal = ZERO
    interest: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """The sum of all kinds."""
        return self.price + self.slippage + self.dividend + self.fee + self.borrow + self.interest + self.other


def profit_by_name(
    books: Books, market_values: Mapping[str, Decimal], slippage: Mapping[str, Decimal]
) -> dict[str, Profit]:
    """Profit and loss since the books began, by ticker; what belongs to no security is under `ACCOUNT`.

    Args:
        books: The books.
        market_values: Signed dollars of every open position, to the cent.
        slippage: Dollars that fills cost against the price that was decided at, by ticker, to the cent.
    """
    amounts: dict[tuple[str, str], Decimal] = {}

    def add(ticker: str, kind: str, dollars: Decimal) -> None:
        amounts[ticker, kind] = amounts.get((ticker, kind), ZERO) + dollars

    for disposal in books.disposals:
        add(disposal.lot.ticker, "price", disposal.gain)
    for ticker, basis in books.basis.items():
        add(ticker, "price", market_values.get(ticker, ZERO) - basis)
    for (ticker, kind), dollars in books.income.items():
        add(ticker, KINDS_OF_INCOME.get(kind, "price"), dollars)
    for ticker, cost in slippage.items():
        add(ticker, "price", cost)
        add(ticker, "slippage", -cost)
    tickers = sorted({ticker for ticker, _ in amounts})
    return {
        ticker: Profit(**{kind.name: amounts.get((ticker, kind.name), ZERO) for kind in fields(Profit)})
        for ticker in tickers
    }


def sum_profits(profits: Mapping[str, Profit]) -> Profit:
    """The whole of it, by kind."""
    return Profit(
        **{kind.name: sum((getattr(one, kind.name) for one in profits.values()), ZERO) for kind in fields(Profit)}
    )
