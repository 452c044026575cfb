"""The ledger that activities are recorded in, and the books that it makes: cash, lots, realised gains and income."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from internal.books.activities import Activity, ActivityKind
from internal.books.lots import Disposal, Lot, rescale, split_cash, take_oldest
from internal.books.spin_offs import BasisDivision
from internal.venue.money import ZERO

ACCOUNT: Final = ""  # the name of what belongs to no security


@dataclass(frozen=True, slots=True)
class Entry:
    """What one activity, or the rows of one corporate action, did.

    Cash + basis put - basis taken = flow + income + gains.

    Attributes:
        rows: The activities.
        taken: Lots that left the books.
        put: Lots that came into them.
        income: Dollars by ticker and kind.
        gains: Dollars realised.
        flow: Dollars that came from outside (positive) or went there.
    """

    rows: Sequence[Activity]
    taken: Sequence[Lot]
    put: Sequence[Lot]
    income: Mapping[tuple[str, ActivityKind], Decimal]
    gains: Decimal
    flow: Decimal

    @property
    def cash(self) -> Decimal:
        """Dollars that came in (positive) or went out."""
        return sum((row.net_amount for row in self.rows), ZERO)


@dataclass(frozen=True, slots=True)
class Books:
    """What the activities add up to.

    Attributes:
        cash: Dollars.
        flows: Dollars that came from outside less those that went there, what the account opened with included.
        lots: Open lots by ticker, oldest first.
        openings: Every lot as it was opened, by its number.
        disposals: Everything that was closed, oldest first.
        income: Dollars by ticker (`ACCOUNT` without one) and kind: dividends, fees, borrow, interest, other; and what
            transferred shares gained before they left.
        entries: What each activity did, oldest first.
        notes: What the activities leave open, one sentence each.
    """

    cash: Decimal
    flows: Decimal
    lots: Mapping[str, Sequence[Lot]]
    openings: Mapping[int, Lot]
    disposals: Sequence[Disposal]
    income: Mapping[tuple[str, ActivityKind], Decimal]
    entries: Sequence[Entry]
    notes: Sequence[str]

    @property
    def shares(self) -> dict[str, Decimal]:
        """Signed shares by ticker."""
        return {ticker: sum((lot.quantity for lot in lots), ZERO) for ticker, lots in self.lots.items()}

    @property
    def basis(self) -> dict[str, Decimal]:
        """Dollars of basis of the open lots by ticker; negative of short ones."""
        return {ticker: sum((lot.basis for lot in lots), ZERO) for ticker, lots in self.lots.items()}


class Ledger:
    """The books while they are kept, one entry after the other.

    Args:
        divisions: Of spin-offs whose values are known.
    """

    def __init__(self, divisions: Sequence[BasisDivision] = ()) -> None:
        self.divisions = divisions
        self._lots: dict[str, list[Lot]] = {}
        self._openings: dict[int, Lot] = {}
        self._disposals: list[Disposal] = []
        self._entries: list[Entry] = []
        self._notes: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._taken: list[Lot] = []
        self._put: list[Lot] = []
        self._income: defaultdict[tuple[str, ActivityKind], Decimal] = defaultdict(Decimal)
        self._gains, self._flow = ZERO, ZERO

    def end_entry(self, rows: Sequence[Activity]) -> None:
        """All that was recorded since the last entry is what these rows did."""
        income = {key: dollars for key, dollars in self._income.items() if dollars}
        self._entries.append(Entry(rows, self._taken, self._put, income, self._gains, self._flow))
        self._begin()

    def held(self, ticker: str) -> Decimal:
        """Signed shares of the name."""
        return sum((lot.quantity for lot in self._lots.get(ticker, ())), ZERO)

    def add_flow(self, dollars: Decimal) -> None:
        """Dollars, or shares worth so many, came from outside (positive) or went there."""
        self._flow += dollars

    def add_income(self, ticker: str, kind: ActivityKind, dollars: Decimal) -> None:
        """Dollars were received (positive) or paid because of the name."""
        self._income[ticker, kind] += dollars

    def note(self, sentence: str) -> None:
        """The activities leave something open."""
        self._notes.append(sentence)

    def open_lot(self, ticker: str, quantity: Decimal, basis: Decimal, day: date) -> None:
        """Shares were bought or sold short."""
        lot = Lot(len(self._openings) + 1, ticker, quantity, basis, day, quantity)
        self._openings[lot.number] = lot
        self.put_lots([lot])

    def put_lots(self, lots: Sequence[Lot]) -> None:
        """Lots of one name come behind those that are held."""
        self._lots.setdefault(lots[0].ticker, []).extend(lots)
        self._put.extend(lots)

    def take_lots(self, ticker: str, quantity: Decimal) -> list[Lot]:
        """So many shares of the oldest lots, which leave the books; quantity has the position's sign."""
        taken, self._lots[ticker] = take_oldest(self._lots.get(ticker, ()), quantity)
        self._taken.extend(taken)
        return taken

    def dispose(self, lots: Sequence[Lot], day: date, cash: Decimal) -> None:
        """Lots that were taken became cash."""
        for lot, part in zip(lots, split_cash(cash, lots), strict=True):
            self._disposals.append(disposal := Disposal(lot, day, part))
            self._gains += disposal.gain

    def close_lots(self, ticker: str, quantity: Decimal, day: date, cash: Decimal) -> None:
        """So many shares of the oldest lots became cash; quantity has the position's sign."""
        self.dispose(self.take_lots(ticker, quantity), day, cash)

    def rescale_lots(self, ticker: str, quantity: Decimal) -> None:
        """The position of the name is so many shares now; basis and days stay."""
        self.put_lots(rescale(self.take_lots(ticker, self.held(ticker)), ticker, quantity))

    def close(self) -> Books:
        """The books as they stand."""
        income: defaultdict[tuple[str, ActivityKind], Decimal] = defaultdict(Decimal)
        for entry in self._entries:
            for key, dollars in entry.income.items():
                income[key] += dollars
        return Books(
            cash=sum((entry.cash for entry in self._entries), ZERO),
            flows=sum((entry.flow for entry in self._entries), ZERO),
            lots={ticker: tuple(held) for ticker, held in sorted(self._lots.items()) if held},
            openings=self._openings,
            disposals=tuple(self._disposals),
            income=dict(sorted(income.items())),
            entries=tuple(self._entries),
            notes=tuple(self._notes),
        )
