"""The decision `ten_by_ten` on rows and arrays: answers worked out by hand, and invariants by hypothesis."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loaded_strategies import ten_by_ten

from internal.dates import next_session, previous_session, sessions
from internal.strategies.constructions.ten_by_ten import LOCKED, TenByTenRules, judge, list_candidates
from internal.strategies.loading import LoadedStrategy
from internal.trading.arrays import FloatArray
from internal.trading.assets import Assets
from internal.trading.day_inputs import DayInputs
from internal.trading.day_table import BarTable, compute_day_table
from internal.trading.decision import decide
from internal.trading.enums import Action, Side, Verdict
from internal.trading.limits import RiskLimits
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.positions import Band, Position
from internal.trading.situation import Situation

DAY = date(2024, 3, 15)
DAYS = sessions(previous_session(DAY, 40), DAY)
STRATEGY, LIMITS, RULES = ten_by_ten(), RiskLimits(), TenByTenRules()
NO_PRICE = "no price today: kept"
OPEN_ORDER = "an order of it is still open, or a corporate action has changed it since: kept"


def make_bars(prices: dict[str, float], *, volume: float = 2e6, seed: int = 1) -> BarTable:
    """Bars of 41 sessions that end at the given close; a random walk of 1 % to 3 % a session before it."""
    generator, tickers = np.random.default_rng(seed), tuple(sorted(prices))
    close = np.empty((len(DAYS), len(tickers)))
    for place, ticker in enumerate(tickers):
        steps = generator.normal(0, 0.01 + 0.02 * (place % 5) / 4, len(DAYS))
        close[:, place] = np.exp(np.cumsum(steps) - np.sum(steps)) * prices[ticker]
    return BarTable(DAYS, tickers, close, np.full_like(close, volume))


def make_bands(tickers: tuple[str, ...], medians: dict[str, float], width: float = 0.1) -> FloatArray:
    """Forecasts over the longest horizon with these medians, all `width` wide; NaN for other tickers."""
    middle = np.array([medians.get(ticker, np.nan) for ticker in tickers])
    return np.stack([middle - width / 2, middle, middle + width / 2], axis=1)


def make_inputs(bars: BarTable, bands: FloatArray, strategy: LoadedStrategy = STRATEGY) -> DayInputs:
    """What is known at the close of DAY, the last session of the bars."""
    table = compute_day_table(bars, len(DAYS) - 1, len(DAYS) - 1, strategy.needs.universe)
    price, liquid, volatility = bars.close[len(DAYS) - 1], table.liquid[0], table.volatility[0]
    return DayInputs(
        DAY, bars.tickers, price, table.last_price[0], liquid, volatility, bands, "test", 1, table.mean_volume[0]
    )


def make_positions(*rows: tuple[str, float, float], opened: date = DAYS[-5]) -> tuple[Position, ...]:
    """Own positions: (ticker, signed shares, entry price), without a stored band."""
    return tuple(Position(ticker, quantity, opened, price, None) for ticker, quantity, price in rows)


def make_assets(tickers: tuple[str, ...]) -> Assets:
    """All tradable and shortable."""
    return Assets(frozenset(tickers), frozenset(tickers))


def forty_names(count: int = 40) -> BarTable:
    """`count` names at 20 to 100 dollars."""
    return make_bars({f"T{number:02d}": 20.0 + 2 * number for number in range(count)})


def make_situation(count: int = 40, **changes: Any) -> Situation:  # noqa: ANN401 - the fields of Situation
    """`count` names at 20 to 100 dollars, T00 with the best forecast and the last with the worst; nothing held."""
    bars = forty_names(count)
    medians = {ticker: 0.03 - 0.0015 * number for number, ticker in enumerate(bars.tickers)}
    situation = Situation(
        inputs=make_inputs(bars, make_bands(bars.tickers, medians)),
        net_asset_value=100_000.0,
        positions=(),
        assets=make_assets(bars.tickers),
        blocked=frozenset(),
    )
    return replace(situation, **changes)


def values(rows: tuple[PortfolioRow, ...]) -> tuple[float, float]:
    """Dollars long and short."""
    long, short = (sum(row.dollar_amount for row in rows if row.side is side) for side in Side)
    return long, short


def names(decision: Decision, *, side: Side | None = None, action: Action | None = None) -> list[str]:
    """The names of the rows with this side and action."""
    return [row.ticker for row in decision.rows if side in {None, row.side} and action in {None, row.action}]


def find(decision: Decision, ticker: str) -> PortfolioRow:
    """The row of a ticker."""
    return next(row for row in decision.rows if row.ticker == ticker)


def judge_one(position: Position, bands: dict[str, float]) -> Verdict:
    """The verdict on a position of a name at 100 dollars."""
    bars = make_bars({"A": 100.0})
    inputs = make_inputs(bars, make_bands(bars.tickers, bands))
    situation = Situation(inputs, 1e5, (position,), make_assets(bars.tickers), frozenset())
    return judge(position, situation, RULES).verdict


def test_opens_ten_by_ten() -> None:
    """With nothing held, the ten best forecasts are bought and the ten worst sold short, half the capital a side."""
    decision = decide(make_situation(), STRATEGY, LIMITS)
    assert [f"T{number:02d}" for number in range(10)] == names(decision, side=Side.LONG, action=Action.OPEN)
    assert [f"T{number:02d}" for number in range(30, 40)] == names(decision, side=Side.SHORT, action=Action.OPEN)
    long, short = values(decision.rows)
    assert long == pytest.approx(50_000, rel=0.05)
    assert short == pytest.approx(50_000, rel=0.05)
    assert decision.notes == ()
    assert all(row.quantity % 1 == 0 for row in decision.rows)


def test_sizes_by_inverse_volatility() -> None:
    """Before whole shares, dollars within a side go by one over volatility, within the policy's bounds."""
    situation = make_situation(40, net_asset_value=1e8)
    longs = [row for row in decide(situation, STRATEGY, RiskLimits(participation=1.0)).rows if row.side is Side.LONG]
    places = [situation.inputs.tickers.index(row.ticker) for row in longs]
    raw = 1 / situation.inputs.volatility[places]
    weight = np.clip(raw, raw.mean() / 2, raw.mean() * 2)
    dollars = np.array([row.dollar_amount for row in longs])
    assert np.allclose(dollars, 5e7 * weight / weight.sum(), rtol=1e-3)


@pytest.mark.parametrize(
    ("quantity", "entry", "verdict"),
    [
        (10, 100 / 0.78, Verdict.CLOSE),
        (-10, 100 / 0.78, Verdict.CLOSE),
        (10, 100 / 1.2, Verdict.CLOSE),
        (10, 100 / 1.01, Verdict.KEEP),
    ],
)
def test_band_exits(quantity: float, entry: float, verdict: Verdict) -> None:
    """A return since entry of -22 % or +20 % leaves a band of -5 % to +5 % and closes, long or short; +1 % is kept."""
    (position,) = make_positions(("A", quantity, entry))
    assert judge_one(position, {"A": 0.0}) is verdict


def test_stored_band_without_forecast() -> None:
    """A name without a forecast today is still closed when it leaves the band stored with it."""
    (position,) = make_positions(("A", 10, 125.0))
    assert judge_one(replace(position, band=Band(-0.1, 0.0, 0.1)), {}) is Verdict.CLOSE


def test_lock_is_a_switch() -> None:
    """Opened today and out of its band: kept under the lock, closed without it."""
    positions = make_positions(("T05", 10, 300.0), opened=DAY)
    locked = find(decide(make_situation(positions=positions), STRATEGY, LIMITS), "T05")
    assert (locked.action, locked.reason, locked.quantity, locked.frozen) == (Action.HOLD, LOCKED, 10.0, True)
    free = decide(make_situation(positions=positions), ten_by_ten(same_day_lock=False), LIMITS)
    assert names(free, action=Action.CLOSE) == ["T05"]


def test_kept_capital_is_inside_the_target() -> None:
    """Five kept longs and one closed one: the new longs get what the kept ones leave, the closed capital not on top."""
    held = [(f"T{number:02d}", 100.0, 20.0 + 2 * number) for number in range(20, 25)]
    decision = decide(make_situation(positions=make_positions(*held, ("T26", 100.0, 300.0))), STRATEGY, LIMITS)
    assert names(decision, action=Action.CLOSE) == ["T26"]
    assert names(decision, action=Action.HOLD) == ["T20", "T21", "T22", "T23", "T24"]
    assert len(names(decision, side=Side.LONG, action=Action.OPEN)) == 5
    long, short = values(decision.rows)
    assert long == pytest.approx(50_000, rel=0.05)
    assert short == pytest.approx(50_000, rel=0.05)


def test_no_flip_through_zero() -> None:
    """The worst forecast of all is held long and out of its band: it is closed and not sold short in the same run."""
    row = find(decide(make_situation(positions=make_positions(("T39", 10.0, 300.0))), STRATEGY, LIMITS), "T39")
    assert (row.side, row.action, row.held, row.quantity) == (Side.LONG, Action.CLOSE, 10.0, 0.0)


def test_few_names_make_a_small_portfolio() -> None:
    """Six candidates make three longs and three shorts, each at most a fifth of a side, and the notes say so."""
    decision = decide(make_situation(6), STRATEGY, LIMITS)
    assert len(names(decision, side=Side.LONG)) == len(names(decision, side=Side.SHORT)) == 3
    assert max(values(decision.rows)) <= 3 * 0.2 * 50_000
    assert decision.notes == ("3 of 10 long names: not enough candidates", "3 of 10 short names: not enough candidates")


def test_notes_say_what_left_names_out() -> None:
    """With 1,000 dollars a name's 50 buy one share of the cheap ones alone; without shorts the longs get nothing."""
    poor = decide(make_situation(net_asset_value=1_000.0), STRATEGY, LIMITS)
    for side, note in zip(Side, poor.notes, strict=True):
        count = len(names(poor, side=side))
        assert note.startswith(f"{count} of 10 {side} names: with both sides equal, {10 - count} would get too little")
    assets = Assets(frozenset(forty_names().tickers), frozenset())
    assert decide(make_situation(assets=assets), STRATEGY, LIMITS).notes == (
        "0 of 10 long names: with both sides equal, 10 would get too little capital for one share",
        "0 of 10 short names: not enough candidates",
    )


def test_nothing_shortable_leaves_no_longs() -> None:
    """Without a short side no long side is opened, and positions held in band are closed: neutral all the same."""
    assets = Assets(frozenset(forty_names().tickers), frozenset())
    decision = decide(make_situation(assets=assets, positions=make_positions(("T00", 100.0, 20.0))), STRATEGY, LIMITS)
    assert [(row.ticker, row.action) for row in decision.rows] == [("T00", Action.CLOSE)]


def test_missing_price_or_open_order_freezes() -> None:
    """A held name without a bar today or with an open order stays as it is, with the reason."""
    held = make_positions(("T10", 7.0, 40.0), ("T11", -7.0, 42.0))
    situation = make_situation(positions=held, blocked=frozenset({"T11", "T00"}))
    price = situation.inputs.price.copy()
    price[10] = np.nan
    inputs = replace(situation.inputs, price=price, liquid=situation.inputs.liquid & np.isfinite(price))
    decision = decide(replace(situation, inputs=inputs), STRATEGY, LIMITS)
    frozen = [(row.ticker, row.action, row.quantity, row.reason) for row in decision.rows if row.frozen]
    assert frozen == [("T10", Action.HOLD, 7.0, NO_PRICE), ("T11", Action.HOLD, 7.0, OPEN_ORDER)]
    assert "T00" not in names(decision)


def test_a_position_that_nothing_is_known_of_is_frozen() -> None:
    """Held, but no bar in the lookback and no forecast: it is valued at its entry price and left alone."""
    row = find(decide(make_situation(positions=make_positions(("GONE", 5.0, 12.0))), STRATEGY, LIMITS), "GONE")
    assert (row.frozen, row.quantity, row.reference_price, row.reason) == (True, 5.0, 12.0, NO_PRICE)


def test_ranking_by_hand() -> None:
    """Median over width: .02/.1 before .05/.5 before .01/.2; ties by ticker; no forecast or not allowed is no rank."""
    bands = np.array([[-0.09, 0.01, 0.11], [-0.2, 0.05, 0.3], [-0.03, 0.02, 0.07], [np.nan] * 3, [-0.09, 0.01, 0.11]])
    situation = make_situation(5)
    situation = replace(situation, inputs=replace(situation.inputs, bands=bands))
    scores = STRATEGY.strategy.scores(situation)
    assert list_candidates(situation, scores, set()) == [2, 1, 0, 4]
    assert list_candidates(situation, scores, {"T01"}) == [2, 0, 4]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any mix of candidates, positions long and short, in and out of their bands, locked or not, rich or poor."""
    count = draw(st.integers(0, 45))
    prices = {f"T{number:02d}": draw(st.floats(10.5, 900)) for number in range(count)} or {"X": 5.0}
    name = st.sampled_from(sorted(prices))
    positions = tuple(
        Position(
            ticker,
            float(draw(st.integers(1, 300))) * draw(st.sampled_from([1, -1])),
            draw(st.sampled_from([DAY, DAYS[-5]])),
            prices[ticker] * draw(st.floats(0.7, 1.4)),
            None,
        )
        for ticker in draw(st.lists(name, unique=True, max_size=20))
    )
    medians = {ticker: draw(st.floats(-0.2, 0.2)) for ticker in draw(st.lists(name, unique=True))}
    bars = make_bars(prices)
    return Situation(
        inputs=make_inputs(bars, make_bands(bars.tickers, medians, width=0.15)),
        net_asset_value=draw(st.floats(0, 5e6)),
        positions=positions,
        assets=Assets(frozenset(prices), frozenset(draw(st.sets(name)))),
        blocked=frozenset(draw(st.lists(name, max_size=2))),
    )


@settings(max_examples=120, deadline=None)
@given(situations())
def test_invariants(situation: Situation) -> None:
    """Balance, gross limit, the kept set, exits, no name twice, no flip, whole shares: for any situation."""
    rows = decide(situation, STRATEGY, LIMITS).rows
    judged = [judge(position, situation, RULES) for position in situation.positions]
    verdict = {one.ticker: one.verdict for one in judged}
    action = {row.ticker: row.action for row in rows}
    frozen = tuple(row for row in rows if verdict.get(row.ticker) is Verdict.FROZEN)
    movable = [row for row in rows if row not in frozen]

    assert len(action) == len(rows)
    assert all(action[name] is Action.CLOSE for name, one in verdict.items() if one is Verdict.CLOSE)
    assert all(row.quantity == row.held for row in frozen)
    assert [row for row in rows if row.frozen] == list(frozen)
    assert not [row for row in rows if row.held > 0 and row.quantity > row.held]
    assert set(verdict) <= set(action)
    assert all(action[name] is not Action.OPEN for name in verdict)
    assert all(row.quantity % 1 == 0 for row in rows if row.action is Action.OPEN)
    long, short = values(rows)
    frozen_long, frozen_short = values(frozen)
    target = RULES.sizing.side_target(situation.net_asset_value)
    assert long <= max(target * 1.05, frozen_long) + 0.01
    assert short <= max(target * 1.05, frozen_short) + 0.01
    larger = Side.LONG if long > short else Side.SHORT
    if abs(long - short) > 0.05 * max(long, short):
        assert not [row for row in movable if row.side is larger and row.quantity > 0]
    for side in Side:
        opened = sum(row.side is side and row.action is Action.OPEN for row in rows)
        staying = sum(one.side is side and one.verdict is not Verdict.CLOSE for one in judged)
        assert opened <= max(10 - staying, 0)


@settings(max_examples=40, deadline=None)
@given(situations(), st.randoms(use_true_random=False))
def test_order_of_rows_never_decides(situation: Situation, random: Random) -> None:
    """Positions in another order, and the same call again, give the same decision."""
    shuffled = replace(situation, positions=tuple(random.sample(situation.positions, len(situation.positions))))
    first = decide(situation, STRATEGY, LIMITS)
    assert first == decide(situation, STRATEGY, LIMITS)
    assert first == decide(shuffled, STRATEGY, LIMITS)


@pytest.mark.parametrize("poison", [float("nan"), 1e9, 1e-9])
def test_later_rows_change_nothing(poison: float) -> None:
    """With later bars poisoned, the decision is the same bit for bit as with them removed."""
    situation = make_situation(positions=make_positions(("T20", 50.0, 58.0), ("T21", -50.0, 90.0)))
    bars = forty_names()
    later = [*DAYS, next_session(DAY), next_session(DAY, 2)]
    future = np.full((2, len(bars.tickers)), poison)
    poisoned = BarTable(later, bars.tickers, np.vstack([bars.close, future]), np.vstack([bars.volume, future]))
    inputs = make_inputs(poisoned, situation.inputs.bands)
    assert decide(situation, STRATEGY, LIMITS) == decide(replace(situation, inputs=inputs), STRATEGY, LIMITS)
