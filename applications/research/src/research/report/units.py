"""Units of figures, and how their values are written."""

from enum import StrEnum

from internal.backtests.report_rows import Estimate

UNDEFINED = "not defined"


class Unit(StrEnum):
    """What a figure is measured in, in words for a reader."""

    PER_CENT = "%"
    PER_CENT_A_YEAR = "% a year"
    RATIO = "annualised"
    MULTIPLE = "times the benchmark"
    OF_VALUE = "times the value"
    TIMES_A_YEAR = "times a year"
    PER_CENT_OF_VALUE = "% of value a year"

    @property
    def factor(self) -> float:
        """What a value is multiplied by: fractions are written in per cent."""
        return 100.0 if self.value.startswith("%") else 1.0


def write_number(value: float | None, unit: Unit, *, signed: bool = False) -> str:
    """A value to two decimals, without its unit; zero has no sign."""
    if value is None:
        return UNDEFINED
    text = f"{value * unit.factor:{'+' if signed else ''},.2f}"
    return text.lstrip("+-") if float(text.replace(",", "")) == 0 else text


def write_interval(estimate: Estimate, unit: Unit, *, signed: bool = False) -> str:
    """The 95 % interval of an estimate, without its unit; nothing where there is none."""
    if estimate.lower is None or estimate.upper is None:
        return ""
    return f"{write_number(estimate.lower, unit, signed=signed)} to {write_number(estimate.upper, unit, signed=signed)}"
