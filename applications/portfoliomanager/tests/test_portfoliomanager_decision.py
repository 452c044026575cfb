"""The decision core: `ten_by_ten` on frames, with answers worked out by hand and invariants by hypothesis."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from internal.dates import next_session, previous_session, sessions
from internal.schemas import predictions as predictions_schema
from portfoliomanager import balance, signals
from portfoliomanager.allocation import POSITION_COLUMNS, Decision, Situation, decide
from portfoliomanager.policy import Policy
from portfoliomanager.risk import LOCKED, NO_PRICE, OPEN_ORDER, judge, realized_volatility

DAY = date(2024, 3, 15)
DAYS = sessions(previous_session(DAY, 40), DAY)
POLICY = Policy()


def make_bars(prices: dict[str, float], *, volume: float = 2e6, seed: int = 1) -> pl.DataFrame:
    """Bars of 41 sessions that end at the given close; a random walk of 1 % to 3 % a session before it."""
    generator = np.random.default_rng(seed)
    frames = []
    for position, (ticker, price) in enumerate(sorted(prices.items())):
        steps = generator.normal(0, 0.01 + 0.02 * (position % 5) / 4, len(DAYS))
        path = np.exp(np.cumsum(steps) - np.sum(steps)) * price
        frames.append(pl.DataFrame({"ticker": ticker, "date": DAYS, "close": path, "volume": volume}))
    return pl.concat(frames)


def make_predictions(medians: dict[str, float], width: float = 0.1, day: date = DAY) -> pl.DataFrame:
    """Seven horizons a name; the last one has the given median and a band `width` wide."""
    rows = [
        {
            "date": day,
            "ticker": ticker,
            "target_date": next_session(day, horizon),
            "horizon": horizon,
            "quantile_10": (median - width / 2) * horizon / 7,
            "quantile_50": median * horizon / 7,
            "quantile_90": (median + width / 2) * horizon / 7,
            "model_version": "test",
            "bars_version": 1,
        }
        for ticker, median in medians.items()
        for horizon in range(1, 8)
    ]
    return pl.DataFrame(rows, schema=predictions_schema.COLUMNS)


def make_positions(*rows: tuple[str, float, float], opened: date = DAYS[-5]) -> pl.DataFrame:
    """Own positions: (ticker, signed shares, entry price), without a stored band."""
    return pl.DataFrame(
        [(ticker, quantity, opened, price, None, None, None) for ticker, quantity, price in rows],
        schema=POSITION_COLUMNS,
        orient="row",
    )


def make_assets(tickers: list[str]) -> pl.DataFrame:
    """All tradable and shortable."""
    return pl.DataFrame({"ticker": pl.Series(tickers, dtype=pl.String)}).with_columns(
        tradable=pl.lit(value=True), shortable=pl.lit(value=True)
    )


def make_situation(count: int = 40, **changes: Any) -> Situation:  # noqa: ANN401 - the fields of Situation
    """`count` names at 20 to 100 dollars, T00 with the best forecast and the last with the worst; nothing held."""
    tickers = [f"T{number:02d}" for number in range(count)]
    situation = Situation(
        day=DAY,
        net_asset_value=100_000.0,
        bars=make_bars({ticker: 20.0 + 2 * number for number, ticker in enumerate(tickers)}),
        predictions=make_predictions({ticker: 0.03 - 0.0015 * number for number, ticker in enumerate(tickers)}),
        positions=make_positions(),
        assets=make_assets(tickers),
        blocked=frozenset(),
    )
    return replace(situation, **changes)


def values(decision: Decision) -> tuple[float, float]:
    """Dollars long and short."""
    return balance.side_values(decision.frame)


def names(decision: Decision, **columns: str) -> list[str]:
    """The names of the rows with these values."""
    return decision.frame.filter(**columns).get_column("ticker").to_list()


def test_opens_ten_by_ten() -> None:
    """With nothing held, the ten best forecasts are bought and the ten worst sold short, half the capital a side."""
    decision = decide(make_situation(), POLICY)
    assert [f"T{number:02d}" for number in range(10)] == names(decision, side="long", action="open")
    assert [f"T{number:02d}" for number in range(30, 40)] == names(decision, side="short", action="open")
    long, short = values(decision)
    assert long == pytest.approx(50_000, rel=0.05)
    assert short == pytest.approx(50_000, rel=0.05)
    assert decision.notes == []
    assert (decision.frame.get_column("quantity") % 1 == 0).all()


def test_sizes_by_inverse_volatility() -> None:
    """Before whole shares, dollars within a side go by one over volatility, within the policy's bounds."""
    situation = make_situation(40, net_asset_value=1e8)
    sizes = decide(situation, POLICY).frame.join(realized_volatility(situation.bars, DAY, POLICY), on="ticker")
    longs = sizes.filter(side="long").with_columns(dollars=pl.col("quantity") * pl.col("reference_price"))
    raw = 1 / longs.get_column("volatility").to_numpy()
    weight = np.clip(raw, raw.mean() / 2, raw.mean() * 2)
    assert np.allclose(longs.get_column("dollars").to_numpy(), 5e7 * weight / weight.sum(), rtol=1e-3)


def test_universe_by_hand() -> None:
    """Means strictly above 10 dollars and a million shares over 30 sessions, and a bar today."""
    bars = pl.concat(
        [
            pl.DataFrame({"ticker": "IN", "date": DAYS, "close": 10.01, "volume": 1_000_001.0}),
            pl.DataFrame({"ticker": "CHEAP", "date": DAYS, "close": 10.0, "volume": 9e6}),
            pl.DataFrame({"ticker": "THIN", "date": DAYS, "close": 99.0, "volume": 1e6}),
            pl.DataFrame({"ticker": "HALTED", "date": DAYS[:-1], "close": 99.0, "volume": 9e6}),
            pl.DataFrame({"ticker": "YOUNG", "date": DAYS[-19:], "close": 99.0, "volume": 9e6}),
            pl.DataFrame({"ticker": "OLD", "date": DAYS, "close": 99.0, "volume": [9e9] * 11 + [1.0] * 30}),
        ]
    )
    assert signals.universe(bars, DAY, POLICY).rows() == [("IN", 10.01)]


def test_volatility_by_hand() -> None:
    """The sample standard deviation of 30 log returns."""
    closes = [100.0 * 1.01 ** (number % 2) for number in range(len(DAYS))]
    bars = pl.DataFrame({"ticker": "A", "date": DAYS, "close": closes, "volume": 1.0})
    returns = np.diff(np.log(closes[-31:]))
    assert realized_volatility(bars, DAY, POLICY).item(0, "volatility") == pytest.approx(np.std(returns, ddof=1))


@pytest.mark.parametrize(
    ("quantity", "entry", "verdict"),
    [(10, 100 / 0.78, "close"), (-10, 100 / 0.78, "close"), (10, 100 / 1.2, "close"), (10, 100 / 1.01, "kept")],
)
def test_band_exits(quantity: float, entry: float, verdict: str) -> None:
    """A return since entry of -22 % or +20 % leaves a band of -5 % to +5 % and closes, long or short; +1 % is kept."""
    bars = make_bars({"A": 100.0})
    latest = signals.bands(make_predictions({"A": 0.0}), DAY)
    judged = judge(make_positions(("A", quantity, entry)), bars, latest, frozenset(), DAY, POLICY)
    assert judged.item(0, "verdict") == verdict


def test_stored_band_without_forecast() -> None:
    """A name without a forecast today is still closed when it leaves the band stored with it."""
    positions = make_positions(("A", 10, 125.0)).with_columns(quantile_10=-0.1, quantile_50=0.0, quantile_90=0.1)
    judged = judge(
        positions, make_bars({"A": 100.0}), signals.bands(make_predictions({}), DAY), frozenset(), DAY, POLICY
    )
    assert judged.item(0, "verdict") == "close"


def test_lock_is_a_switch() -> None:
    """Opened today and out of its band: kept under the lock, closed without it."""
    positions = make_positions(("T05", 10, 300.0), opened=DAY)
    locked = decide(make_situation(positions=positions), POLICY)
    assert locked.frame.filter(ticker="T05").select("action", "reason", "quantity").row(0) == ("hold", LOCKED, 10.0)
    free = decide(make_situation(positions=positions), replace(POLICY, same_day_lock=False))
    assert names(free, action="close") == ["T05"]


def test_kept_capital_is_inside_the_target() -> None:
    """Five kept longs and one closed one: the new longs get what the kept ones leave, the closed capital not on top."""
    held = [(f"T{number:02d}", 100.0, 20.0 + 2 * number) for number in range(20, 25)]
    decision = decide(make_situation(positions=make_positions(*held, ("T26", 100.0, 300.0))), POLICY)
    assert names(decision, action="close") == ["T26"]
    assert names(decision, action="hold") == ["T20", "T21", "T22", "T23", "T24"]
    assert len(names(decision, side="long", action="open")) == 5
    long, short = values(decision)
    assert long == pytest.approx(50_000, rel=0.05)
    assert short == pytest.approx(50_000, rel=0.05)


def test_no_flip_through_zero() -> None:
    """The worst forecast of all is held long and out of its band: it is closed and not sold short in the same run."""
    decision = decide(make_situation(positions=make_positions(("T39", 10.0, 300.0))), POLICY)
    assert decision.frame.filter(ticker="T39").select("side", "action", "quantity").rows() == [("long", "close", 0.0)]


def test_few_names_make_a_small_book() -> None:
    """Six candidates make three longs and three shorts, each at most a fifth of a side, and the notes say so."""
    decision = decide(make_situation(6), POLICY)
    assert len(names(decision, side="long")) == len(names(decision, side="short")) == 3
    assert max(values(decision)) <= 3 * 0.2 * 50_000
    assert any("3 of 10 long names" in note for note in decision.notes)


def test_nothing_shortable_leaves_no_longs() -> None:
    """Without a short side no long side is opened, and positions held in band are let go: the book stays neutral."""
    assets = make_assets([f"T{number:02d}" for number in range(40)]).with_columns(shortable=False)
    held = make_positions(("T00", 100.0, 20.0))
    decision = decide(make_situation(assets=assets, positions=held), POLICY)
    assert decision.frame.select("ticker", "action").rows() == [("T00", "close")]


def test_missing_price_or_open_order_freezes() -> None:
    """A held name without a bar today or with an open order stays as it is, with the reason."""
    situation = make_situation(positions=make_positions(("T10", 7.0, 40.0), ("T11", -7.0, 42.0)))
    bars = situation.bars.filter((pl.col("ticker") != "T10") | (pl.col("date") < DAY))
    decision = decide(replace(situation, bars=bars, blocked=frozenset({"T11", "T00"})), POLICY)
    frozen = decision.frame.filter(pl.col("ticker").is_in(["T10", "T11"])).select(
        "ticker", "action", "quantity", "reason"
    )
    assert frozen.rows() == [("T10", "hold", 7.0, NO_PRICE), ("T11", "hold", 7.0, OPEN_ORDER)]
    assert "T00" not in decision.frame.get_column("ticker")


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any mix of candidates, positions long and short, in and out of their bands, locked or not, rich or poor."""
    count = draw(st.integers(0, 45))
    tickers = [f"T{number:02d}" for number in range(count)]
    price = st.floats(10.5, 900)
    median = st.floats(-0.2, 0.2)
    prices = {ticker: draw(price) for ticker in tickers}
    held = draw(st.lists(st.sampled_from(tickers), unique=True, max_size=20)) if tickers else []
    rows = [
        (
            ticker,
            float(draw(st.integers(1, 300))) * draw(st.sampled_from([1, -1])),
            draw(st.sampled_from([DAY, DAYS[-5]])),
            prices[ticker] * draw(st.floats(0.7, 1.4)),
            None,
            None,
            None,
        )
        for ticker in held
    ]
    forecast = draw(st.lists(st.sampled_from(tickers), unique=True)) if tickers else []
    return Situation(
        day=DAY,
        net_asset_value=draw(st.floats(0, 5e6)),
        bars=make_bars(prices) if prices else make_bars({"X": 5.0}),
        predictions=make_predictions({ticker: draw(median) for ticker in forecast}, width=0.15),
        positions=pl.DataFrame(rows, schema=POSITION_COLUMNS, orient="row"),
        assets=make_assets(tickers).with_columns(
            shortable=pl.Series([draw(st.booleans()) for _ in tickers], dtype=pl.Boolean)
        ),
        blocked=frozenset(draw(st.lists(st.sampled_from(tickers), max_size=2)) if tickers else []),
    )


@settings(max_examples=120, deadline=None)
@given(situations())
def test_invariants(situation: Situation) -> None:
    """Balance, gross limit, the kept set, exits, no name twice, no flip, whole shares: for any situation."""
    frame = decide(situation, POLICY).frame
    judged = judge(
        situation.positions,
        situation.bars,
        signals.bands(situation.predictions, DAY),
        situation.blocked,
        DAY,
        POLICY,
    )
    verdict = dict(judged.select("ticker", "verdict").iter_rows())
    action = dict(frame.select("ticker", "action").iter_rows())
    frozen = frame.filter(pl.col("ticker").is_in([name for name, kind in verdict.items() if kind == "frozen"]))
    movable = frame.filter(~pl.col("ticker").is_in(frozen.get_column("ticker").to_list()))

    assert frame.get_column("ticker").is_unique().all()
    assert {name for name, kind in verdict.items() if kind == "close"} <= {n for n, a in action.items() if a == "close"}
    assert (frozen.get_column("quantity") == frozen.get_column("held")).all()
    assert frame.filter(pl.col("held") > 0, pl.col("quantity") > pl.col("held")).is_empty()
    assert set(verdict) <= set(action)
    assert all(action[name] != "open" for name in verdict)
    assert (frame.filter(action="open").get_column("quantity") % 1 == 0).all()
    long, short = balance.side_values(frame)
    frozen_long, frozen_short = balance.side_values(frozen)
    target = POLICY.side_target(situation.net_asset_value)
    assert long <= max(target * 1.05, frozen_long) + 0.01
    assert short <= max(target * 1.05, frozen_short) + 0.01
    larger, smaller_side = ("long", min(long, short)) if long > short else ("short", min(long, short))
    if max(long, short) - smaller_side > 0.05 * max(long, short):
        assert movable.filter(pl.col("side") == larger, pl.col("quantity") > 0).is_empty()
    for side in ("long", "short"):
        opened = frame.filter(pl.col("side") == side, pl.col("action") == "open").height
        assert opened <= max(
            10
            - judged.filter(pl.col("verdict") != "close").filter((pl.col("quantity") > 0) == (side == "long")).height,
            0,
        )


@settings(max_examples=40, deadline=None)
@given(situations(), st.randoms(use_true_random=False))
def test_order_of_rows_never_decides(situation: Situation, random: Random) -> None:
    """The same rows in another order, and the same call again, give the same decision."""
    seed = random.randint(0, 10**6)
    shuffled = replace(
        situation,
        bars=situation.bars.sample(fraction=1.0, shuffle=True, seed=seed),
        predictions=situation.predictions.sample(fraction=1.0, shuffle=True, seed=seed),
        positions=situation.positions.sample(fraction=1.0, shuffle=True, seed=seed),
        assets=situation.assets.sample(fraction=1.0, shuffle=True, seed=seed),
    )
    first = decide(situation, POLICY)
    assert_frame_equal(first.frame, decide(situation, POLICY).frame)
    assert_frame_equal(first.frame, decide(shuffled, POLICY).frame)


@pytest.mark.parametrize("poison", [float("nan"), 1e9, 1e-9, None])
def test_later_rows_change_nothing(poison: float | None) -> None:
    """With later bars and predictions poisoned, the decision is the same bit for bit as with them removed."""
    held = make_positions(("T20", 50.0, 58.0), ("T21", -50.0, 90.0))
    situation = make_situation(positions=held)
    later = [next_session(DAY, count) for count in (1, 2)]
    future_bars = (
        situation.bars.filter(date=DAY)
        .select("ticker", "close", "volume")
        .join(pl.DataFrame({"date": later}), how="cross")
        .with_columns(pl.lit(poison, pl.Float64).alias("close"), pl.lit(poison, pl.Float64).alias("volume"))
    )
    future_predictions = make_predictions({f"T{number:02d}": 0.5 for number in range(40)}, day=later[0]).with_columns(
        pl.lit(poison, pl.Float64).alias(name) for name in ("quantile_10", "quantile_50", "quantile_90")
    )
    poisoned = replace(
        situation,
        bars=pl.concat([situation.bars, future_bars.select(situation.bars.columns)]),
        predictions=pl.concat([situation.predictions, future_predictions]),
    )
    assert_frame_equal(decide(situation, POLICY).frame, decide(poisoned, POLICY).frame, check_exact=True)
