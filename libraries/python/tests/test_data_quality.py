"""Suspicious bars are held with their reason, real moves are not, and later bars release what they confirm."""

import doctest
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from benchmarks.planted_faults import STATISTICAL, Planted, choose
from benchmarks.quarantine import BARS, read_bars, walk_through
from internal.data_quality import walk as walk_module
from internal.data_quality.suspicions import Suspicion
from internal.data_quality.walk import BarWalk
from internal.dates import sessions
from internal.schemas import corporate_actions

DAYS = sessions(date(2024, 1, 2), date(2024, 2, 29))
TICKERS = [f"T{number:02}" for number in range(30)]
PRICE = np.linspace(20, 310, len(TICKERS))  # T00 is at 20 dollars, T29 at 310
SUBJECT = "T10"  # at 120 dollars, a million shares a day


def session_bars(place: int) -> pl.DataFrame:
    """Quiet bars: closes within 1 % of a ticker's price, ranges of 2 %, volumes within 30 %."""
    random = np.random.default_rng(place)
    open_, close = (PRICE * np.exp(random.normal(0, 0.008, PRICE.size).clip(-0.01, 0.01)) for _ in range(2))
    return pl.DataFrame(
        {
            "ticker": TICKERS,
            "open": open_,
            "high": np.maximum(open_, close) * 1.005,
            "low": np.minimum(open_, close) * 0.995,
            "close": close,
            "volume": np.round(1e6 * np.exp(random.normal(0, 0.2, PRICE.size).clip(-0.3, 0.3))),
        }
    )


def experienced_walk(splits: pl.DataFrame | None = None) -> BarWalk:
    """A walk that has seen 30 quiet sessions."""
    walk = BarWalk(TICKERS, corporate_actions.empty_splits() if splits is None else splits)
    for place, day in enumerate(DAYS[:30]):
        walk.learn(day, session_bars(place))
    return walk


def change(place: int, *columns: pl.Expr) -> pl.DataFrame:
    """The session's bars, with columns of the subject changed."""
    bars = session_bars(place)
    is_subject = pl.col("ticker") == SUBJECT
    return bars.with_columns(
        pl.when(is_subject).then(one).otherwise(one.meta.output_name()).alias(one.meta.output_name()) for one in columns
    )


def times(factor: float, *names: str) -> list[pl.Expr]:
    """Columns times a factor."""
    return [pl.col(name) * factor for name in names or ("open", "high", "low", "close")]


FAULTS = {
    Suspicion.SPLIT_RATIO: lambda: change(30, *times(1 / 4), pl.col("volume") * 4),
    Suspicion.POWER_OF_TEN: lambda: change(30, *times(100)),
    Suspicion.PRICE_JUMP: lambda: change(30, *times(1.22)),
    Suspicion.OPEN_SPIKE: lambda: change(30, *times(1.3, "open", "high")),
    Suspicion.HIGH_SPIKE: lambda: change(30, *times(1.3, "high")),
    Suspicion.LOW_SPIKE: lambda: change(30, *times(0.8, "low")),
    Suspicion.NO_VOLUME: lambda: change(30, *times(0, "volume")),
    Suspicion.VOLUME_UNITS: lambda: change(30, *times(100, "volume")),
    Suspicion.REPEATED: lambda: pl.concat(
        [session_bars(25).filter(pl.col("ticker") == SUBJECT), session_bars(30).filter(pl.col("ticker") != SUBJECT)]
    ),
}


@pytest.mark.parametrize("suspicion", FAULTS)
def test_faults(suspicion: Suspicion) -> None:
    """The faulty bar is held with its reason, and none of the session's others."""
    judgement = experienced_walk().judge(DAYS[30], FAULTS[suspicion]())
    assert judgement.suspected.rows() == [(SUBJECT, suspicion)]


def test_sound_session() -> None:
    """A quiet session, and one in which all prices fall by 12 %: no bar is held."""
    walk = experienced_walk()
    assert walk.judge(DAYS[30], session_bars(30)).suspected.is_empty()
    fallen = session_bars(31).with_columns(times(0.88))
    assert walk.judge(DAYS[31], fallen).suspected.is_empty()


def test_news() -> None:
    """A third less on eight times the volume and a wide range is news, not a fault."""
    news = change(30, *times(0.66, "open", "high", "close"), *times(0.6, "low"), *times(8, "volume"))
    assert experienced_walk().judge(DAYS[30], news).suspected.is_empty()


def test_exchanged_tickers() -> None:
    """Both bars of two exchanged tickers are held."""
    bars = session_bars(30).with_columns(pl.col("ticker").replace({"T10": "T11", "T11": "T10"}))
    suspected = experienced_walk().judge(DAYS[30], bars).suspected
    assert suspected.rows() == [("T10", Suspicion.OTHER_TICKER), ("T11", Suspicion.OTHER_TICKER)]


def split_on(day: date) -> pl.DataFrame:
    """Four shares of the subject for one from that day on."""
    return pl.DataFrame([(SUBJECT, day, 1.0, 4.0)], schema=corporate_actions.SPLITS_COLUMNS, orient="row")


def test_reported_split() -> None:
    """A split that is reported explains its bar; one that the bar does not show is a fault of either."""
    split = FAULTS[Suspicion.SPLIT_RATIO]()
    assert experienced_walk(split_on(DAYS[30])).judge(DAYS[30], split).suspected.is_empty()
    unsplit = experienced_walk(split_on(DAYS[30])).judge(DAYS[30], session_bars(30))
    assert unsplit.suspected.rows() == [(SUBJECT, Suspicion.SPLIT_NOT_IN_PRICES)]


@pytest.mark.parametrize(
    ("next_bars", "confirmed"),
    [
        (lambda: change(31, *times(1.22)), True),  # the price stays there
        (lambda: session_bars(31), False),  # it reverts
    ],
)
def test_settlement(next_bars: Callable[[], pl.DataFrame], confirmed: bool) -> None:  # noqa: FBT001 - an expected answer
    """The next session releases a jump that lasts, keeps one that reverts, and is itself not held either way."""
    walk = experienced_walk()
    walk.judge(DAYS[30], FAULTS[Suspicion.PRICE_JUMP]())
    judgement = walk.judge(DAYS[31], next_bars())
    assert judgement.confirmed.rows() == ([(SUBJECT, DAYS[30])] if confirmed else [])
    assert judgement.suspected.is_empty()


def test_unsettled_ratio() -> None:
    """A jump by a power of ten is held however long it lasts: no later price shows which unit is right."""
    walk = experienced_walk()
    for place in range(30, 34):
        judgement = walk.judge(DAYS[place], change(place, *times(10)))
        assert judgement.suspected.rows() == [(SUBJECT, Suspicion.POWER_OF_TEN)]
        assert judgement.confirmed.is_empty()


def test_no_look_ahead() -> None:
    """What is held of a session is the same whatever the later sessions are."""
    faulty = FAULTS[Suspicion.PRICE_JUMP]()
    first, second = experienced_walk(), experienced_walk()
    assert first.judge(DAYS[30], faulty).suspected.equals(second.judge(DAYS[30], faulty).suspected)
    first.judge(DAYS[31], session_bars(31))
    second.judge(DAYS[31], session_bars(31).with_columns(times(3)))


def test_example() -> None:
    """The example of the documentation is true."""
    assert doctest.testmod(walk_module) == doctest.TestResults(failed=0, attempted=8)


def test_trusted() -> None:
    """A bar that a person released, or that the lake has, is accepted unchecked."""
    judgement = experienced_walk().judge(DAYS[30], FAULTS[Suspicion.POWER_OF_TEN](), trusted=pl.Series([SUBJECT]))
    assert judgement.suspected.is_empty()


def test_new_and_empty() -> None:
    """A ticker without a past, a session without bars, and a ticker that was gone for two months raise no suspicion."""
    walk = BarWalk(["A"], corporate_actions.empty_splits())
    one = pl.DataFrame({"ticker": ["A"], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [5.0]})
    assert walk.judge(DAYS[0], one).suspected.is_empty()
    for day in DAYS[1:25]:
        assert walk.judge(day, one.clear()).suspected.is_empty()
    assert walk.judge(DAYS[25], one.with_columns(times(50))).suspected.is_empty()


@pytest.mark.long
@pytest.mark.real_data
@pytest.mark.skipif(not BARS.exists(), reason="needs ../shared/data")
def test_planted_faults() -> None:
    """On the real bars at least 95 % of each kind are found, and at most 0.1 % of the sound bars are held."""
    bars = read_bars(BARS)
    held, _ = walk_through(Planted(bars, bars.clear()))
    assert held.height <= 0.001 * bars.height
    for number, (kind, plant) in enumerate(STATISTICAL.items()):
        planted = plant(bars, choose(bars, 200, number))
        found = planted.faults.join(walk_through(planted)[0], on=["ticker", "date"], how="semi")
        assert found.height >= 0.95 * planted.faults.height, kind
