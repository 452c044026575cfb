"""What activities that change shares do to the ledger: trades, transfers, splits, mergers, renames, spin-offs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from internal.books.activities import STOCK_DIVIDEND, Activity, ActivityKind
from internal.books.ledger import ACCOUNT, Ledger
from internal.books.lots import Lot, rescale, split_cash, take_oldest
from internal.books.spin_offs import BasisDivision, find_division
from internal.venue.money import ZERO, cents


def record_trade(ledger: Ledger, row: Activity) -> None:
    """Close what is held on the other side, oldest first; the rest opens a lot."""
    ticker, quantity = row.ticker or ACCOUNT, row.quantity
    held = ledger.held(ticker)
    closing = min(abs(held), abs(quantity)).copy_sign(quantity) if held * quantity < 0 else ZERO
    cash = cents(row.net_amount * closing / quantity) if closing else ZERO
    if closing:
        ledger.close_lots(ticker, -closing, row.day, cash)
    if quantity != closing:
        ledger.open_lot(ticker, quantity - closing, cash - row.net_amount, row.day)


def record_transfer(ledger: Ledger, row: Activity) -> None:
    """Cash and shares come from outside or go there; shares that leave have gained what they are worth more."""
    ledger.add_flow(row.net_amount + row.share_value)
    if row.ticker is None or not row.quantity:
        return
    if row.price is None:
        ledger.note(f"{row.type} of {row.quantity:f} {row.ticker} has no price: it counts as worth nothing")
    if ledger.held(row.ticker) * row.quantity >= 0:
        ledger.open_lot(row.ticker, row.quantity, row.share_value, row.day)
    else:
        basis = sum((lot.basis for lot in ledger.take_lots(row.ticker, -row.quantity)), ZERO)
        ledger.add_income(row.ticker, row.kind, -row.share_value - basis)


def record_splits(ledger: Ledger, rows: Sequence[Activity]) -> None:
    """A name has other shares and the same basis, whether one row says so or one for the old and one for the new."""
    changes: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        changes[row.ticker or ACCOUNT] += row.quantity
        ledger.add_income(row.ticker or ACCOUNT, row.kind, row.net_amount)
    for ticker, change in changes.items():
        held = ledger.held(ticker)
        if held and held + change:
            ledger.rescale_lots(ticker, held + change)
        elif held:  # less than one share is left of it, which is paid in cash
            ledger.close_lots(ticker, held, rows[0].day, ZERO)
        elif change and any(row.ticker == ticker and row.sub_type == STOCK_DIVIDEND for row in rows):
            record_spin_off(ledger, next(row for row in rows if row.ticker == ticker))
        elif change:
            ledger.note(f"a split of {ticker} changed {change:f} shares, of which the books hold none")


def record_reorganization(ledger: Ledger, rows: Sequence[Activity]) -> None:
    """Shares that leave become cash, or the shares listed with them; kinds in the order of the broker's list."""
    for kind in dict.fromkeys((row.type, row.sub_type) for row in rows):
        of_kind = [row for row in rows if (row.type, row.sub_type) == kind]
        for row in of_kind:
            if not row.quantity:
                ledger.add_income(row.ticker or ACCOUNT, ActivityKind.CASH_IN_LIEU, row.net_amount)
        for leaving, coming in _pair_rows(ledger, [row for row in of_kind if row.quantity]):
            old = leaving
            if leaving is not None and not ledger.held(leaving.ticker or ACCOUNT):
                _record_unheld(ledger, leaving)
                old = None
            if old is not None and not coming:
                ledger.close_lots(old.ticker or ACCOUNT, -old.quantity, old.day, old.net_amount)
            if old is not None and coming:
                _exchange(ledger, old, coming[0])
            for row in coming if old is None else coming[1:]:
                record_spin_off(ledger, row)


def _record_unheld(ledger: Ledger, row: Activity) -> None:
    """Shares leave that an earlier row took already, as when the broker lists an action twice: its cash counts."""
    ledger.add_income(row.ticker or ACCOUNT, row.kind, row.net_amount)
    ledger.note(
        f"{row.type} of {row.day} moved {row.quantity:f} {row.ticker}, of which the books hold none any more: "
        "its cash is counted, its shares are not"
    )


def record_spin_off(ledger: Ledger, row: Activity) -> None:
    """Shares that come with nothing in exchange take a part of the basis of what they come from, and its days.

    Without a known division, or against a position on the other side, they have none.
    """
    ticker = row.ticker or ACCOUNT
    division = find_division(ledger.divisions, ticker, row.day)
    if division is not None:
        parent, held = ledger.held(division.parent) * row.quantity, ledger.held(ticker) * row.quantity
        if parent > 0 and held >= 0:
            _divide_basis(ledger, division, row)
            return
        if parent < 0 and held < 0:
            _return_basis(ledger, division, row)
            return
    record_trade(ledger, row)
    ledger.note(
        f"{row.quantity:f} {row.ticker} came by {row.type} without a basis: "
        "the issuer's Form 8937 says how much of the old shares' basis is theirs"
    )


def _divide_basis(ledger: Ledger, division: BasisDivision, row: Activity) -> None:
    """Each lot of the parent gives its part of the basis to a lot of the shares that come."""
    lots = ledger.take_lots(division.parent, ledger.held(division.parent))
    parts = [cents(lot.basis * division.fraction) for lot in lots]
    ledger.put_lots([replace(lot, basis=lot.basis - part) for lot, part in zip(lots, parts, strict=True)])
    for lot, part in zip(rescale(lots, division.ticker, row.quantity), parts, strict=True):
        if lot.quantity:
            ledger.open_lot(division.ticker, lot.quantity, part, lot.opened)


def _return_basis(ledger: Ledger, division: BasisDivision, row: Activity) -> None:
    """Shares that the broker takes back give their basis back to the lots of the parent."""
    basis = sum((lot.basis for lot in ledger.take_lots(division.ticker, -row.quantity)), ZERO)
    lots = ledger.take_lots(division.parent, ledger.held(division.parent))
    parts = split_cash(basis, lots)
    ledger.put_lots([replace(lot, basis=lot.basis + part) for lot, part in zip(lots, parts, strict=True)])


def record_cash_in_lieu(ledger: Ledger, row: Activity) -> None:
    """Cash for a fraction of a share: a sale of it with its part of the basis, whether it is still held or not."""
    ticker, held = row.ticker or ACCOUNT, ledger.held(row.ticker or ACCOUNT)
    fraction = abs(row.quantity).copy_sign(held)
    if fraction and abs(held) % 1 == abs(fraction):
        ledger.close_lots(ticker, fraction, row.day, row.net_amount)
        return
    if held * row.quantity <= 0:
        ledger.add_income(ticker, row.kind, row.net_amount)
        return
    sold, left = take_oldest(rescale(ledger.take_lots(ticker, held), ticker, held + fraction), fraction)
    ledger.put_lots(rescale(left, ticker, held))
    ledger.dispose(sold, row.day, row.net_amount)


def record_return_of_capital(ledger: Ledger, row: Activity) -> None:
    """Cash that lowers the basis of what is held, of a short sale what it brought; income where nothing is."""
    ticker, held = row.ticker or ACCOUNT, ledger.held(row.ticker or ACCOUNT)
    if held:
        taken = ledger.take_lots(ticker, held)
        ledger.put_lots(_lower_basis(ledger, taken, row.net_amount, row.day))
    else:
        ledger.add_income(ticker, row.kind, row.net_amount)


def _lower_basis(ledger: Ledger, lots: Sequence[Lot], cash: Decimal, day: date) -> list[Lot]:
    """The lots after cash that is no sale: it lowers their basis, beyond it it is a gain."""
    lowered = list(lots)
    for place, (lot, part) in enumerate(zip(lots, split_cash(cash, lots), strict=True)):
        used = min(part, lot.basis) if lot.quantity > 0 else max(part, lot.basis)
        lowered[place] = replace(lot, basis=lot.basis - used)
        if part != used:
            ledger.dispose([replace(lot, basis=ZERO)], day, part - used)
    return lowered


def _find_leaving(ledger: Ledger, rows: Sequence[Activity]) -> list[Activity]:
    """Rows that take shares away: all that is held of a name, else some of it where no row takes all.

    Shares that come in may have the opposite sign of what is held of their name: those are not meant.
    """
    held = {row.ticker: ledger.held(row.ticker or ACCOUNT) for row in rows}
    whole = [row for row in rows if row.quantity and row.quantity == -held[row.ticker]]
    return whole or [row for row in rows if row.quantity * held[row.ticker] < 0]


def _pair_rows(ledger: Ledger, rows: Sequence[Activity]) -> list[tuple[Activity | None, list[Activity]]]:
    """Each row that takes shares away with those listed beside it that bring some; None takes nothing away.

    The broker lists what leaves before what comes, or all of it the other way round.
    """
    leaving = _find_leaving(ledger, rows)
    pairs: list[tuple[Activity | None, list[Activity]]] = []
    for row in rows if not rows or rows[0] in leaving else reversed(rows):
        if row in leaving:
            pairs.append((row, []))
        elif pairs:
            pairs[-1][1].append(row)
        else:
            pairs.append((None, [row]))
    return pairs


def _exchange(ledger: Ledger, old: Activity, new: Activity) -> None:
    """Lots become shares of another name; cash that comes with them lowers the basis, beyond it it is a gain."""
    taken = ledger.take_lots(old.ticker or ACCOUNT, -old.quantity)
    lowered = _lower_basis(ledger, taken, old.net_amount + new.net_amount, old.day)
    _receive(ledger, rescale(lowered, new.ticker or ACCOUNT, new.quantity), new)


def _receive(ledger: Ledger, lots: Sequence[Lot], row: Activity) -> None:
    """Lots of the row's name come in; what is held on the other side is closed with them, at their basis."""
    ticker = row.ticker or ACCOUNT
    held = ledger.held(ticker)
    closing = min(abs(held), abs(row.quantity)).copy_sign(row.quantity) if held * row.quantity < 0 else ZERO
    used, left = take_oldest(lots, closing)
    if closing:
        ledger.close_lots(ticker, -closing, row.day, -sum((lot.basis for lot in used), ZERO))
    if left:
        ledger.put_lots(left)
