"""The day table: universe, volatility, last prices and ranking; no look-ahead, and one row alone is the row of all."""

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from internal.dates import previous_session, sessions
from internal.trading.arrays import FloatArray
from internal.trading.day_table import (
    ActionFactors,
    BarTable,
    DayTable,
    compute_day_table,
    window_sessions,
)
from internal.trading.universe import Universe

DAY = date(2024, 3, 15)
DAYS = sessions(previous_session(DAY, 99), DAY)
UNIVERSE = Universe()
LAST = len(DAYS) - 1


def column(values: list[float]) -> list[float]:
    """The values as the last sessions of all; NaN before them."""
    return [np.nan] * (len(DAYS) - len(values)) + values


def one_day(bars: BarTable, day: int = LAST) -> DayTable:
    """The table of one session."""
    return compute_day_table(bars, day, day, UNIVERSE)


def test_universe_by_hand() -> None:
    """Means strictly above 10 dollars and a million shares over 30 sessions, and a bar today."""
    names: dict[str, tuple[list[float], list[float]]] = {
        "CHEAP": (column([10.0] * 41), column([9e6] * 41)),
        "HALTED": (column([99.0] * 40 + [np.nan]), column([9e6] * 40 + [np.nan])),
        "IN": (column([10.01] * 41), column([1_000_001.0] * 41)),
        "OLD": (column([99.0] * 41), column([9e9] * 11 + [1.0] * 30)),
        "THIN": (column([99.0] * 41), column([1e6] * 41)),
        "YOUNG": (column([99.0] * 19), column([9e6] * 19)),
    }
    closes, volumes = zip(*names.values(), strict=True)
    bars = BarTable(DAYS, tuple(names), np.array(closes).T, np.array(volumes).T)
    assert dict(zip(names, one_day(bars).liquid[0], strict=True)) == dict.fromkeys(names, False) | {"IN": True}


def test_volatility_by_hand() -> None:
    """The sample standard deviation of 30 log returns; a halt makes one return of the sessions around it."""
    closes = [100.0 * 1.01 ** (number % 2) for number in range(41)]
    halted = [*closes[:20], np.nan, np.nan, *closes[22:]]
    still = [50.0] * 41
    bars = BarTable(
        DAYS, ("A", "H", "S"), np.array([column(closes), column(halted), column(still)]).T, np.ones((100, 3))
    )
    known = [close for close in halted[-31:] if not np.isnan(close)]
    expected = [np.std(np.diff(np.log(one)), ddof=1) for one in (closes[-31:], known)]
    assert one_day(bars).volatility[0, :2] == pytest.approx(expected)
    assert np.isnan(one_day(bars).volatility[0, 2])


def test_last_price_by_hand() -> None:
    """The last close in the window, in the terms of the day: 40 dollars before a 4-for-1 split are 10."""
    closes = np.array([column([40.0] + [np.nan] * 5), column([7.0] + [np.nan] * 40)]).T
    bars = BarTable(DAYS, ("A", "B"), closes, closes, splits={0: [(LAST - 2, 0.25)]})
    assert one_day(bars).last_price[0].tolist() == pytest.approx([10.0, np.nan], nan_ok=True)


def test_splits_and_dividends_make_no_return() -> None:
    """A close that falls by a split and by a dividend as much as they explain has not moved; volume follows a split."""
    closes = column([100.0] * 20 + [25.0] * 11 + [24.0] * 10)
    volumes = column([1e6] * 20 + [4e6] * 21)
    actions: ActionFactors = {0: [(LAST - 20, 0.25)]}
    bars = BarTable(DAYS, ("A",), np.array([closes]).T, np.array([volumes]).T, actions, {0: [(LAST - 9, 0.96)]})
    table = one_day(bars)
    assert table.last_price[0, 0] == 24.0
    assert np.isnan(table.volatility[0, 0])
    assert table.liquid[0, 0]
    assert not one_day(replace(bars, volume=bars.volume / 4.5)).liquid[0, 0]


@pytest.fixture(scope="module")
def bars() -> BarTable:
    """Forty names of all kinds: young, halted, cheap, thin, split, paying dividends."""
    generator = np.random.default_rng(3)
    close = 20 * np.exp(np.cumsum(generator.normal(0, 0.02, (len(DAYS), 40)), axis=0))
    volume = generator.lognormal(14, 0.6, (len(DAYS), 40))
    absent = generator.random((len(DAYS), 40)) < np.linspace(0, 0.3, 40)
    close[absent], volume[absent] = np.nan, np.nan
    splits = {3: [(50, 0.5), (80, 0.25)], 7: [(LAST, 3.0)]}
    dividends = {number: [(30 + number, 0.99), (60 + number, 0.98)] for number in range(0, 39, 5)}
    return BarTable(DAYS, tuple(f"T{number:02d}" for number in range(40)), close, volume, splits, dividends)


def rows(table: DayTable, first: int, last: int) -> list[FloatArray]:
    """The arrays of the table between two sessions' places, both included."""
    part = slice(first - table.first, last - table.first + 1)
    return [getattr(table, field.name)[part] for field in fields(table) if field.name != "first"]


def assert_same_bits(one: list[FloatArray], other: list[FloatArray]) -> None:
    """Equal, NaN where NaN is."""
    assert all(np.array_equal(left, right, equal_nan=True) for left, right in zip(one, other, strict=True))


def truncate_actions(actions: ActionFactors, day: int, factor: float | None) -> ActionFactors:
    """The actions up to a session; later ones multiplied by a factor, or removed."""
    return {
        ticker: [
            (effective, one if effective <= day else one * (factor or 1.0))
            for effective, one in found
            if factor is not None or effective <= day
        ]
        for ticker, found in actions.items()
    }


@pytest.mark.parametrize("day", [40, 70, 97])
def test_cut_future_changes_nothing(bars: BarTable, day: int) -> None:
    """The rows up to a session are the same bits when nothing after it exists."""
    whole = compute_day_table(bars, 33, LAST, UNIVERSE)
    cut = replace(
        bars,
        days=bars.days[: day + 1],
        close=bars.close[: day + 1],
        volume=bars.volume[: day + 1],
        splits=truncate_actions(bars.splits, day, None),
        dividends=truncate_actions(bars.dividends, day, None),
    )
    assert_same_bits(rows(compute_day_table(cut, 33, day, UNIVERSE), 33, day), rows(whole, 33, day))


@pytest.mark.parametrize("poison", [np.nan, 1e9, 1e-9, -1.0])
@pytest.mark.parametrize("day", [40, 97])
def test_poisoned_future_changes_nothing(bars: BarTable, day: int, poison: float) -> None:
    """The rows up to a session are the same bits when everything after it is nonsense."""
    whole = compute_day_table(bars, 33, LAST, UNIVERSE)
    close, volume = bars.close.copy(), bars.volume.copy()
    close[day + 1 :], volume[day + 1 :] = poison, poison
    poisoned = replace(
        bars,
        close=close,
        volume=volume,
        splits=truncate_actions(bars.splits, day, 7.0),
        dividends=truncate_actions(bars.dividends, day, 7.0),
    )
    assert_same_bits(rows(compute_day_table(poisoned, 33, LAST, UNIVERSE), 33, day), rows(whole, 33, day))


@pytest.mark.parametrize("day", [31, 50, 80, 99])
def test_a_window_alone_is_the_row_of_the_whole(bars: BarTable, day: int) -> None:
    """A service that has only the window of a session computes the same bits as a pass over all history."""
    whole = compute_day_table(bars, 0, LAST, UNIVERSE)
    start = day - window_sessions(UNIVERSE) + 1

    def shift(actions: ActionFactors) -> ActionFactors:
        """The actions by place in the window; one before it changes no bar of it."""
        return {
            ticker: [(effective - start, factor) for effective, factor in found if effective > start]
            for ticker, found in actions.items()
        }

    window = BarTable(
        bars.days[start : day + 1],
        bars.tickers,
        bars.close[start : day + 1],
        bars.volume[start : day + 1],
        shift(bars.splits),
        shift(bars.dividends),
    )
    last = day - start
    assert_same_bits(rows(compute_day_table(window, last, last, UNIVERSE), last, last), rows(whole, day, day))
