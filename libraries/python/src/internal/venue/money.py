"""Exact money: how prices become decimals, how dollars are rounded, how a number is written on the wire."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
PRICE_STEP = Decimal("0.0001")  # fills are reported to a hundredth of a cent
QUANTITY_STEP = Decimal("0.000000001")  # the finest fraction of a share that Alpaca books
ZERO = Decimal(0)
ONE = Decimal(1)


def decimal_of(value: float) -> Decimal:
    """The decimal that the number is written as: 10.1 becomes 10.1, not its binary neighbour."""
    return Decimal(repr(float(value)))


def cents(value: Decimal) -> Decimal:
    """Dollars rounded to the cent, half to even."""
    return value.quantize(CENT, rounding=ROUND_HALF_EVEN)


def cents_up(value: Decimal) -> Decimal:
    """Dollars rounded up to the cent, as regulators' fees are."""
    return value.quantize(CENT, rounding=ROUND_CEILING)


def to_price(value: Decimal) -> Decimal:
    """A fill's price, dollars, to a hundredth of a cent and never below it."""
    return max(value.quantize(PRICE_STEP, rounding=ROUND_HALF_EVEN), PRICE_STEP)


def is_whole(quantity: Decimal) -> bool:
    """Whether the quantity is a whole number of shares."""
    return quantity == quantity.to_integral_value()


def round_shares(quantity: Decimal, *, whole: bool) -> Decimal:
    """Shares rounded toward zero: to whole shares, or to the finest fraction that is booked."""
    return quantity.quantize(Decimal(1) if whole else QUANTITY_STEP, rounding=ROUND_DOWN)


def plain(value: Decimal) -> str:
    """The number as Alpaca writes it: no exponent, no trailing zeros, `0` for nothing."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
