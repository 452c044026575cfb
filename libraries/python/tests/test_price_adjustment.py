"""Back-adjustment compared with a hand calculation, with a loop over the definition, and by its invariants."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.action_kinds import SPLIT_KINDS, ActionKind
from internal.dates import previous_session, session_close, sessions
from internal.factor_table import PRICES, FactorTable
from internal.price_adjustment import adjust_bars, adjust_for_splits, find_payments
from internal.schemas import corporate_actions, equity_bars
from internal.schemas.corporate_actions import DISTRIBUTIONS
from internal.venue.corporate_actions import CorporateAction, dividend_action
from internal.venue.market.action_frame import actions_frame
from internal.venue.market.event_rates import Events
from internal.venue.market.simulated import SimulatedMarket

DAYS = sessions(date(2024, 3, 1), date(2024, 3, 28))
LAST = DAYS[-1]
FACTORS = {"ticker": pl.String, "effective_date": pl.Date, "split_factor": pl.Float64, "dividend_factor": pl.Float64}


def bars_of(closes: dict[str, dict[date, float]]) -> pl.DataFrame:
    """Bars with these closes; the other prices and the volume follow from them."""
    rows = [(ticker, day, close) for ticker, by_day in closes.items() for day, close in by_day.items()]
    return pl.DataFrame(
        {
            "ticker": [ticker for ticker, _, _ in rows],
            "date": [day for _, day, _ in rows],
            "timestamp": [session_close(day) for _, day, _ in rows],
            "open": [close * 0.99 for _, _, close in rows],
            "high": [close * 1.01 for _, _, close in rows],
            "low": [close * 0.98 for _, _, close in rows],
            "close": [close for _, _, close in rows],
            "volume": [1000.0] * len(rows),
            "volume_weighted_average_price": [None] * len(rows),
            "transactions": [None] * len(rows),
        },
        schema=equity_bars.COLUMNS,
    )


def splits_of(*rows: tuple[str, date, float, float]) -> pl.DataFrame:
    """Splits: ticker, execution date, from, to."""
    return pl.DataFrame(list(rows), schema=corporate_actions.SPLITS_COLUMNS, orient="row")


def dividends_of(*rows: tuple[str, date, float]) -> pl.DataFrame:
    """Dividends: ticker, ex-date, amount."""
    whole = [(*row, None, None, None) for row in rows]
    return pl.DataFrame(whole, schema=corporate_actions.DIVIDENDS_COLUMNS, orient="row")


def adjust(bars: pl.DataFrame, splits: pl.DataFrame, dividends: pl.DataFrame, as_of: date = LAST) -> pl.DataFrame:
    """All bars as of a day, by ticker and date."""
    lazy = bars.lazy()
    return adjust_bars(lazy, lazy, splits.lazy(), dividends.lazy(), as_of).sort("ticker", "date").collect()


def test_by_hand() -> None:
    """A 4 for 1 split and a dividend of 2 on a close of 50 (in new shares), worked out on paper.

    Closes 160, 200 | split 4 for 1 | 50 | dividend 2 | 48. The dividend's factor is 1 - 2/50 = 0.96, the split's 1/4:
    160 x 0.25 x 0.96 = 38.4, 200 x 0.25 x 0.96 = 48, 50 x 0.96 = 48, 48. The last two returns are 0: the dividend is
    no loss.
    """
    bars = bars_of({"A": dict(zip(DAYS, (160.0, 200.0, 50.0, 48.0), strict=False))})
    adjusted_bars = adjust(bars, splits_of(("A", DAYS[2], 1, 4)), dividends_of(("A", DAYS[3], 2.0)))
    assert adjusted_bars.get_column("close").to_list() == pytest.approx([38.4, 48.0, 48.0, 48.0])
    assert adjusted_bars.get_column("volume").to_list() == pytest.approx([4000.0, 4000.0, 1000.0, 1000.0])
    assert adjusted_bars.get_column("open").to_list() == pytest.approx([38.4 * 0.99, 47.52, 47.52, 47.52])


def test_split_and_dividend_on_one_day() -> None:
    """A dividend of 1 a new share on the day of a 2 for 1 split: 100 old is 50 new, the factor is 1 - 1/50."""
    bars = bars_of({"A": {DAYS[0]: 100.0, DAYS[1]: 49.0}})
    adjusted_bars = adjust(bars, splits_of(("A", DAYS[1], 1, 2)), dividends_of(("A", DAYS[1], 1.0)))
    assert adjusted_bars.get_column("close").to_list() == pytest.approx([49.0, 49.0])


def test_later_actions_are_not_applied() -> None:
    """As of the day before a split and a dividend, bars are as traded; as of the day they are adjusted."""
    bars = bars_of({"A": dict.fromkeys(DAYS[:4], 100.0)})
    actions = splits_of(("A", DAYS[3], 1, 2)), dividends_of(("A", DAYS[3], 5.0))
    assert bars.equals(adjust(bars, *actions, as_of=DAYS[2]))
    assert adjust(bars, *actions, as_of=DAYS[3]).item(0, "close") == pytest.approx(50.0 * 0.9)


@cache
def whole_bars() -> pl.DataFrame:
    """Three tickers on every day, in order."""
    return bars_of({ticker: dict.fromkeys(DAYS, 10.1) for ticker in "ABC"}).sort("date", "ticker")


@settings(deadline=None)
@given(
    factors=st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(DAYS), st.floats(0.1, 2), st.floats(0.1, 1))),
    cut=st.integers(1, len(DAYS) - 1),
    lacking=st.sets(st.tuples(st.sampled_from("ABC"), st.sampled_from(DAYS))),
)
def test_factors(factors: list[tuple[str, date, float, float]], cut: int, lacking: set[tuple[str, date]]) -> None:
    """Bars before and after a cut, some missing, are multiplied by the factors that Polars' join by day finds.

    Each part alone, and both as chunks of one frame beside an empty one; prices in another order of rows as well.
    """
    every = pl.DataFrame(sorted(factors), FACTORS, orient="row")
    missing = pl.DataFrame(sorted(lacking), {"ticker": pl.String, "date": pl.Date}, orient="row")
    bars = whole_bars().join(missing, on=["ticker", "date"], how="anti", maintain_order="left")
    table = FactorTable(every)
    parts = [bars.filter(pl.col("date").is_in(days)) for days in (DAYS[:cut], [], DAYS[cut:])]
    for some in (*parts, pl.concat(parts, rechunk=False)):
        assert table.apply(some).equals(apply_by_join(some, every))
        assert table.apply(some.select("ticker", "date", "volume")).equals(
            apply_by_join(some, every).select("ticker", "date", "volume")
        )
        elsewhere = some.rechunk().with_columns(pl.col(*PRICES, "volume").reverse())
        backwards = np.arange(some.height, dtype=np.uint32)[::-1].copy()
        assert table.apply(elsewhere, backwards).equals(apply_by_join(some, every))


def apply_by_join(bars: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """The bars times the factors of the first later day of their ticker."""
    split, dividend = (pl.col(name).fill_null(1.0) for name in ("split_factor", "dividend_factor"))
    joined = bars.join_asof(
        factors,
        left_on="date",
        right_on="effective_date",
        by="ticker",
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
        coalesce=False,
    )
    prices = (pl.col(name) * split * dividend for name in PRICES)
    return joined.with_columns(*prices, pl.col("volume") / split).select(bars.columns)


def test_factors_need_the_order_of_days() -> None:
    """Bars out of the order of their dates are refused; those without a bar or a factor are left as they are."""
    bars = bars_of({"A": dict.fromkeys(DAYS, 10.0)})
    none = FactorTable(pl.DataFrame(schema=FACTORS))
    some = FactorTable(pl.DataFrame([("A", DAYS[5], 0.5, 1.0)], FACTORS, orient="row"))
    assert none.apply(bars).equals(bars)
    assert some.apply(bars.clear()).is_empty()
    with pytest.raises(ValueError, match="order of their dates"):
        some.apply(bars.reverse())


@pytest.mark.parametrize("days", [[None, DAYS[0]], [DAYS[0], None], [None, None]])
def test_a_bar_without_a_date(days: list[date | None]) -> None:
    """It is refused wherever Polars sorts it."""
    bars = pl.DataFrame({"ticker": "A", "date": days, "close": 10.0}, schema_overrides={"date": pl.Date})
    with pytest.raises(ValueError, match="without a date"):
        FactorTable(pl.DataFrame([("A", DAYS[5], 0.5, 1.0)], FACTORS, orient="row")).apply(bars)


def test_a_bar_without_a_ticker() -> None:
    """It has no factor, also where a filter left the text of a ticker behind the null."""
    bars = pl.DataFrame({"ticker": ["A", "A", None], "date": DAYS[0], "close": 10.0}).with_columns(
        pl.when(pl.Series([True, False, True])).then("ticker").alias("ticker")
    )
    table = FactorTable(pl.DataFrame([("A", DAYS[5], 0.5, 1.0)], FACTORS, orient="row"))
    assert table.apply(bars).get_column("close").to_list() == [5.0, 10.0, 10.0]


def test_missing_values_stay_missing() -> None:
    """A bar without an average price has none afterwards, and whole numbers are multiplied as numbers."""
    bars = bars_of({"A": dict.fromkeys(DAYS[:3], 10.0)}).with_columns(
        volume_weighted_average_price=pl.Series([10.0, None, 10.0]), volume=pl.Series([100, 200, 300])
    )
    table = FactorTable(pl.DataFrame([("A", DAYS[2], 0.5, 0.9)], FACTORS, orient="row"))
    adjusted = table.apply(bars)
    mirrored = table.apply(bars.rechunk(), np.array([2, 1, 0], np.uint32))
    assert mirrored.get_column("volume_weighted_average_price").to_list() == [10.0 * 0.5 * 0.9, None, 10.0]
    assert adjusted.get_column("volume_weighted_average_price").to_list() == [10.0 * 0.5 * 0.9, None, 10.0]
    assert adjusted.get_column("volume").to_list() == [200.0, 400.0, 300.0]


def test_halted_before_the_ex_date() -> None:
    """Without a bar on the day before the ex-date, the last close before it is used."""
    bars = bars_of({"A": {DAYS[0]: 100.0, DAYS[4]: 90.0}})
    assert adjust(bars, splits_of(), dividends_of(("A", DAYS[4], 10.0))).item(0, "close") == pytest.approx(90.0)


def test_amounts_that_leave_no_price() -> None:
    """A distribution of the whole price, and a dividend before the first bar, change nothing."""
    bars = bars_of({"A": {DAYS[1]: 100.0, DAYS[2]: 1.0}})
    assert bars.equals(adjust(bars, splits_of(), dividends_of(("A", DAYS[2], 100.0), ("A", DAYS[0], 5.0))))


def test_other_tickers_are_unchanged() -> None:
    """An action changes only its ticker; the bars of other tickers are identical bit for bit."""
    bars = bars_of({"A": dict.fromkeys(DAYS, 10.1), "B": dict.fromkeys(DAYS, 20.3)})
    adjusted_bars = adjust(
        bars, splits_of(("A", DAYS[5], 1, 3)), dividends_of(("A", DAYS[7], 0.1), ("ZZ", DAYS[7], 1.0))
    )
    assert bars.filter(pl.col("ticker") == "B").equals(adjusted_bars.filter(pl.col("ticker") == "B"))


@dataclass(frozen=True)
class Hihistory:
    """One ticker's closes, splits (day index, from, to) and dividends (day index, share of the close before)."""

    closes: list[float]
    splits: dict[int, tuple[float, float]]
    dividends: dict[int, float]


indexes = st.integers(1, len(DAYS) - 1)
ratios = st.tuples(st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from([1.0, 2.0, 5.0, 20.0]))
histories = st.builds(
    Hihistory,
    st.lists(st.floats(1.0, 1000.0), min_size=len(DAYS), max_size=len(DAYS)),
    st.dictionaries(indexes, ratios, max_size=4),
    st.dictionaries(indexes, st.floats(0.001, 0.5), max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(history=histories, as_of=st.integers(0, len(DAYS) - 1))
def test_loop_over_the_definition(history: Hihistory, as_of: int) -> None:
    """Every bar's price times every factor that takes effect after it, as the definition says."""
    bars = bars_of({"A": dict(zip(DAYS, history.closes, strict=True))})
    cash = {day: share * history.closes[day - 1] for day, share in history.dividends.items()}
    expected: list[float] = []
    for day, close in enumerate(history.closes):
        factor = 1.0
        for action in range(day + 1, as_of + 1):
            split_from, split_to = history.splits.get(action, (1.0, 1.0))
            paid_on = history.closes[action - 1] * split_from / split_to
            amount = cash.get(action, 0.0)
            factor *= split_from / split_to * (1 - amount / paid_on if amount < paid_on else 1.0)
        expected.append(close * factor)
    adjusted_bars = adjust(
        bars,
        splits_of(*(("A", DAYS[day], *ratio) for day, ratio in history.splits.items())),
        dividends_of(*(("A", DAYS[day], amount) for day, amount in cash.items())),
        as_of=DAYS[as_of],
    )
    assert adjusted_bars.get_column("close").to_list() == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(history=histories)
def test_returns_are_invariant_under_splits(history: Hihistory) -> None:
    """A company that splits, quoted in old shares, has the same returns and turnover as one that does not."""
    whole = bars_of({"A": dict(zip(DAYS, history.closes, strict=True))})
    shares, quoted = 1.0, {}
    for day, close in enumerate(history.closes):
        split_from, split_to = history.splits.get(day, (1.0, 1.0))
        shares *= split_to / split_from
        quoted[DAYS[day]] = close / shares
    divided = bars_of({"A": quoted})
    back = adjust(
        divided, splits_of(*(("A", DAYS[day], *ratio) for day, ratio in history.splits.items())), dividends_of()
    )
    returns = pl.col("close").log().diff().drop_nulls()
    assert back.select(returns).to_series().to_list() == pytest.approx(
        whole.select(returns).to_series().to_list(), abs=1e-9
    )
    turnover = pl.col("close") * pl.col("volume")
    assert back.select(turnover).to_series().to_list() == pytest.approx(divided.select(turnover).to_series().to_list())


class TestVendorAdjustment:
    """Back-adjustment for splits alone, against figures worked out by hand."""

    def bars(self, *days: date, ticker: str = "A") -> pl.DataFrame:
        """One bar a day at 120 dollars and 1,000 shares."""
        return pl.DataFrame(
            [
                {
                    "ticker": ticker,
                    "date": day,
                    "timestamp": session_close(day),
                    **dict.fromkeys(("open", "high", "low", "close", "volume_weighted_average_price"), 120.0),
                    "volume": 1000.0,
                    "transactions": 10,
                }
                for day in days
            ]
        ).select(pl.col(name).cast(kind) for name, kind in equity_bars.COLUMNS.items())

    def splits(self, *terms: tuple[str, date, float, float]) -> pl.DataFrame:
        """Ticker, execution date, from, to."""
        return pl.DataFrame(terms, schema=corporate_actions.SPLITS_COLUMNS, orient="row")

    def test_chain(self) -> None:
        """A 3 for 1 and then a 2 for 1: 120 is 20 before both, 60 between, 120 after; volume the other way."""
        days = [date(2024, 3, day) for day in (4, 5, 6, 7)]
        splits = self.splits(("A", days[1], 1, 3), ("A", days[3], 1, 2), ("B", days[3], 1, 10))

        adjusted = adjust_for_splits(self.bars(*days), splits)

        assert adjusted.get_column("close").to_list() == [20.0, 60.0, 60.0, 120.0]
        assert adjusted.get_column("volume").to_list() == [6000.0, 2000.0, 2000.0, 1000.0]
        assert adjusted.get_column("volume_weighted_average_price").to_list() == [20.0, 60.0, 60.0, 120.0]

    def test_reverse(self) -> None:
        """A 1 for 10 reverse split multiplies earlier prices by ten."""
        day = date(2024, 3, 4)
        adjusted = adjust_for_splits(self.bars(day), self.splits(("A", day + timedelta(days=1), 10, 1)))

        assert adjusted.get_column("close").to_list() == [1200.0]
        assert adjusted.get_column("volume").to_list() == [100.0]

    def test_order(self) -> None:
        """Rows come back in the order that they came in, and unsplit tickers unchanged."""
        day = date(2024, 3, 4)
        bars = pl.concat([self.bars(day, ticker=ticker) for ticker in "CABD"])

        adjusted = adjust_for_splits(bars, self.splits(("B", date(2024, 3, 5), 1, 4)))

        assert list("CABD") == adjusted.get_column("ticker").to_list()
        assert adjusted.get_column("close").to_list() == [120.0, 120.0, 30.0, 120.0]

    def test_no_splits(self) -> None:
        """Without splits nothing changes."""
        bars = self.bars(date(2024, 3, 4), date(2024, 3, 5))

        assert bars.equals(adjust_for_splits(bars, self.splits()))


def distribution(kind: ActionKind, old_shares: str, new_shares: str, new_ticker: str | None = "B") -> CorporateAction:
    """What A's holders receive on the third day."""
    return CorporateAction(kind, "A", DAYS[2], Decimal(old_shares), Decimal(new_shares), new_ticker)


@pytest.mark.parametrize("kind", [ActionKind.SPIN_OFF, ActionKind.RIGHTS_DISTRIBUTION, ActionKind.STOCK_DIVIDEND])
def test_shares_of_another_security_by_hand(kind: ActionKind) -> None:
    """One B for four A; B opens at 40: 10 dollars a share of A. 1 - 10 / 100 = 0.9 on the closes of 100 before it."""
    bars = bars_of({"A": dict(zip(DAYS[:4], (100.0, 100.0, 90.0, 90.0), strict=True)), "B": {DAYS[2]: 40 / 0.99}})
    actions = actions_frame([distribution(kind, "4", "1")]).lazy()
    adjusted = adjust(bars, splits_of(), find_payments(actions, bars.lazy()).collect())
    assert adjusted.filter(ticker="A").get_column("close").to_list() == pytest.approx([90.0] * 4)


def test_shares_that_have_no_price_yet() -> None:
    """Without a first open within a week nothing is adjusted; a price that comes later is found."""
    actions = actions_frame([distribution(ActionKind.SPIN_OFF, "4", "1")]).lazy()
    for first, found in ((DAYS[3], 1), (DAYS[9], 0)):
        bars = bars_of({"A": dict.fromkeys(DAYS, 100.0), "B": {first: 40.0}})
        assert find_payments(actions, bars.lazy()).collect().height == found


def test_payments_of_one_day() -> None:
    """A regular dividend of 1, a special one of 5 and a spin-off worth 4 on a close of 100: one factor, 0.9."""
    bars = bars_of({"A": dict.fromkeys(DAYS[:4], 100.0), "B": {DAYS[2]: 4 / 0.99}})
    actions = actions_frame(
        [
            dividend_action("A", DAYS[2], Decimal(1)),
            dividend_action("A", DAYS[2], Decimal(5), special=True),
            distribution(ActionKind.SPIN_OFF, "1", "1"),
        ]
    )
    adjusted = adjust(bars, splits_of(), find_payments(actions.lazy(), bars.lazy()).collect())
    assert adjusted.filter(ticker="A").get_column("close").to_list() == pytest.approx([90.0, 90.0, 100.0, 100.0])


def test_simulated_events_leave_returns_as_they_were() -> None:
    """Adjusted returns on days of actions are those of the same seed without events, to what cents and gaps allow."""
    plain, eventful = _draw_year("none"), _draw_year("realistic")
    period = plain.sessions()[0], plain.sessions()[-1]
    changes_price = {*SPLIT_KINDS, ActionKind.CASH_DIVIDEND, ActionKind.STOCK_DIVIDEND, *DISTRIBUTIONS}
    expected, found = (_adjusted_returns(market) for market in (plain, eventful))
    compared: set[ActionKind] = set()
    for action in eventful.corporate_actions(*period):
        place = action.ticker, action.effective_date
        before = eventful.bar(action.ticker, previous_session(action.effective_date))
        if action.kind in changes_price and place in expected and place in found and before and before.close > 10:
            compared.add(action.kind)
            assert found[place] == pytest.approx(expected[place], abs=0.02)
    assert {ActionKind.CASH_DIVIDEND, ActionKind.STOCK_DIVIDEND, ActionKind.SPIN_OFF} <= compared


def _draw_year(events: Events) -> SimulatedMarket:
    return SimulatedMarket(
        seed=5,
        ticker_count=150,
        first_day=date(2024, 1, 2),
        opening_day=date(2024, 1, 31),
        last_day=date(2024, 12, 31),
        events=events,
    )


def _adjusted_returns(market: SimulatedMarket) -> dict[tuple[str, date], float]:
    """By ticker and day."""
    first, last = market.sessions()[0], market.sessions()[-1]
    bars, actions = market.bars_between(first, last), actions_frame(market.corporate_actions(first, last)).lazy()
    payments = find_payments(actions, bars.lazy())
    splits = corporate_actions.splits_of(actions)
    adjusted = adjust_bars(bars.lazy(), bars.lazy(), splits, payments, last).sort("ticker", "date")
    returns = pl.col("close") / pl.col("close").shift(1).over("ticker") - 1
    rows = adjusted.select("ticker", "date", returns.alias("return")).drop_nulls().collect()
    return {(ticker, day): value for ticker, day, value in rows.iter_rows()}
