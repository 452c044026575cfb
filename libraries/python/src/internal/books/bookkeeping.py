"""Bookkeeping: account activities replayed into the books, in the order in which they happened."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from internal.books.activities import Activity, ActivityKind, sort_activities
from internal.books.ledger import ACCOUNT, Books, Ledger
from internal.books.share_changes import (
    record_cash_in_lieu,
    record_reorganization,
    record_return_of_capital,
    record_spin_off,
    record_splits,
    record_trade,
    record_transfer,
)
from internal.books.spin_offs import BasisDivision


def keep_books(activities: Iterable[Activity], divisions: Sequence[BasisDivision] = ()) -> Books:
    """Replay the activities, in whatever order they are given.

    divisions: of spin-offs whose values are known; shares of another one have no basis, and a note says so.
    """
    ledger = Ledger(divisions)
    groups = [list(group) for _, group in groupby(sort_activities(activities), key=lambda one: (one.day, one.kind))]
    for place in range(len(groups)):
        if _is_before_reorganization(groups[place : place + 2]) and _renames_more(ledger, groups[place]):
            groups[place : place + 2] = reversed(groups[place : place + 2])
        RECORDERS[groups[place][0].kind](ledger, groups[place])
    return ledger.close()


def _is_before_reorganization(groups: Sequence[Sequence[Activity]]) -> bool:
    """Whether names change and shares are exchanged on one day."""
    kinds = [rows[0].kind for rows in groups]
    return kinds == [ActivityKind.NAME_CHANGE, ActivityKind.REORGANIZATION] and groups[0][0].day == groups[1][0].day


def _renames_more(ledger: Ledger, rows: Sequence[Activity]) -> bool:
    """Whether more, or less, is renamed than is held: the rest came, or left, by an exchange on the same day."""
    return not any(row.quantity and row.quantity == -ledger.held(row.ticker or ACCOUNT) for row in rows)


type Recorder = Callable[[Ledger, Sequence[Activity]], None]


def _each(record: Callable[[Ledger, Activity], None]) -> Recorder:
    def record_each(ledger: Ledger, rows: Sequence[Activity]) -> None:
        for row in rows:
            record(ledger, row)
            ledger.end_entry([row])

    return record_each


def _together(record: Recorder) -> Recorder:
    def record_together(ledger: Ledger, rows: Sequence[Activity]) -> None:
        record(ledger, rows)
        ledger.end_entry(rows)

    return record_together


def _record_income(ledger: Ledger, row: Activity) -> None:
    ledger.add_income(row.ticker or ACCOUNT, row.kind, row.net_amount)


def _record_unknown(ledger: Ledger, row: Activity) -> None:
    """A type that the books do not know is no reason to stop: its cash is counted, and it is named."""
    _record_income(ledger, row)
    ledger.note(
        f"{row.type} of {row.day} ({row.net_amount:f} dollars, {row.quantity:f} shares of {row.ticker or 'no name'}) "
        "is a type that the books do not know: its cash is counted, its shares are not"
    )


RECORDERS: Final[Mapping[ActivityKind, Recorder]] = {
    ActivityKind.OPENING: _each(record_transfer),
    ActivityKind.SPLIT: _together(record_splits),
    ActivityKind.SPIN_OFF: _each(record_spin_off),
    ActivityKind.NAME_CHANGE: _together(record_reorganization),
    ActivityKind.REORGANIZATION: _together(record_reorganization),
    ActivityKind.CASH_IN_LIEU: _each(record_cash_in_lieu),
    ActivityKind.RETURN_OF_CAPITAL: _each(record_return_of_capital),
    ActivityKind.TRANSFER: _each(record_transfer),
    ActivityKind.FILL: _each(record_trade),
    **dict.fromkeys(
        (ActivityKind.DIVIDEND, ActivityKind.FEE, ActivityKind.BORROW, ActivityKind.INTEREST), _each(_record_income)
    ),
    ActivityKind.OTHER: _each(_record_unknown),
}
