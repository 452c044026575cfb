"""The adapters of the data service's ports: frames become rows and arrays, and back."""

from datetime import date, datetime
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
import pytest
from loaded_strategies import ten_by_ten

from internal.dates import next_session, previous_session, sessions
from internal.schemas import portfolios
from internal.schemas import predictions as predictions_schema
from internal.security_names import ALIASES
from internal.trading.enums import Action, Side
from internal.trading.portfolio import Portfolio, PortfolioRow
from internal.trading.positions import Band
from portfoliomanager.adapters.alpaca_fields import number
from portfoliomanager.adapters.market_data import DatamanagerMarketData, read_day_inputs
from portfoliomanager.adapters.stored_portfolios import portfolio_frame, read_portfolio

if TYPE_CHECKING:
    from internal.http.datamanager_client import DatamanagerClient

DAY = date(2024, 3, 15)
DAYS = sessions(previous_session(DAY, 40), DAY)
NEEDS = ten_by_ten().needs
DETAILS = pl.DataFrame(
    {"ticker": ["FULL", "NEW"], "sector": ["Energy", None], "industry": ["Coal", None], "security_type": ["CS", "ETF"]}
)
PRICES = ("open", "high", "low", "close")


def make_bars(ticker: str, days: list[date], close: float) -> pl.DataFrame:
    """Bars of one ticker that rises by 1 % a session up to the close; two million shares each."""
    closes = [close * 1.01 ** (number - len(days) + 1) for number in range(len(days))]
    return pl.DataFrame({"ticker": ticker, "date": days, **dict.fromkeys(PRICES, closes), "volume": 2e6})


def make_predictions(ticker: str, day: date, median: float) -> pl.DataFrame:
    """Seven horizons; the last has the median."""
    rows = [
        {
            "date": day,
            "ticker": ticker,
            "target_date": next_session(day, horizon),
            "horizon": horizon,
            "quantile_10": median * horizon / 7 - 0.05,
            "quantile_50": median * horizon / 7,
            "quantile_90": median * horizon / 7 + 0.05,
            "model_version": "test",
            "bars_version": 1,
        }
        for horizon in range(1, 8)
    ]
    return pl.DataFrame(rows, schema=predictions_schema.COLUMNS)


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    """A name with every bar, one that was halted today, one that has just begun to trade."""
    names = [make_bars("FULL", DAYS, 50.0), make_bars("HALT", DAYS[:-1], 40.0), make_bars("NEW", DAYS[-3:], 30.0)]
    return pl.concat(names)


def test_arrays_of_a_day(bars: pl.DataFrame) -> None:
    """Prices, universe and bands by ticker: the longest horizon, and NaN where there is nothing."""
    predictions = pl.concat([make_predictions("NEW", DAY, 0.03), make_predictions("ONLY", DAY, 0.01)])
    inputs = read_day_inputs(bars, predictions, DETAILS, DAY, 7, NEEDS)
    assert inputs.tickers == ("FULL", "HALT", "NEW", "ONLY")
    assert inputs.price.tolist() == pytest.approx([50.0, np.nan, 30.0, np.nan], nan_ok=True)
    assert inputs.last_price.tolist() == pytest.approx([50.0, 40.0, 30.0, np.nan], nan_ok=True)
    assert inputs.liquid.tolist() == [True, False, False, False]
    assert inputs.bands[2].tolist() == pytest.approx([-0.02, 0.03, 0.08])
    assert inputs.bands[:, 1].tolist() == pytest.approx([np.nan, np.nan, 0.03, 0.01], nan_ok=True)
    assert (inputs.model_version, inputs.bars_version) == ("test", 7)
    assert inputs.details is not None
    assert inputs.details.sector == ("Energy", None, None, None)
    assert inputs.details.security_type == ("CS", None, "ETF", None)


@pytest.mark.parametrize("poison", [float("nan"), 1e9, 1e-9, None])
def test_later_rows_and_the_order_of_rows_change_nothing(bars: pl.DataFrame, poison: float | None) -> None:
    """Poisoned bars and predictions of later sessions, and rows in any order: the same bits."""
    predictions = make_predictions("FULL", DAY, 0.02)
    later = [next_session(DAY, count) for count in (1, 2)]
    future = pl.DataFrame({"date": later}).select(
        pl.lit("FULL").alias("ticker"),
        "date",
        *(pl.lit(poison, pl.Float64).alias(name) for name in (*PRICES, "volume")),
    )
    others = make_predictions("FULL", later[0], 0.5)
    poisoned = read_day_inputs(
        pl.concat([bars, future]).sample(fraction=1.0, shuffle=True, seed=1),
        pl.concat([others, predictions]).sample(fraction=1.0, shuffle=True, seed=2),
        DETAILS.reverse(),
        DAY,
        7,
        NEEDS,
    )
    sound = read_day_inputs(bars, predictions, DETAILS, DAY, 7, NEEDS)
    for name in ("price", "last_price", "liquid", "volatility", "bands"):
        assert np.array_equal(getattr(poisoned, name), getattr(sound, name), equal_nan=True), name


def test_a_stored_portfolio_comes_back() -> None:
    """Rows with and without a band, held, opened and closed: through the checked frame and back, the same."""
    band, opened = Band(-0.1, 0.0, 0.1), date(2024, 3, 1)
    movable, frozen = False, True
    rows = (
        PortfolioRow("A", Side.LONG, Action.HOLD, 12.0, 10.0, 20.0, opened, 19.0, band, movable, "in band"),
        PortfolioRow("B", Side.SHORT, Action.OPEN, 0.0, 5.0, 40.0, DAY, 40.0, band, movable, "rank 9 of 9"),
        PortfolioRow("C", Side.SHORT, Action.CLOSE, 7.5, 0.0, 10.0, opened, 11.0, band, movable, "left its band"),
        PortfolioRow("D", Side.LONG, Action.HOLD, 3.0, 3.0, 10.0, opened, 11.0, None, frozen, "no price today: kept"),
    )
    portfolio = Portfolio("p-1", DAY, rows, "model", 4)
    frame = portfolios.validate(portfolio_frame(portfolio))
    assert frame.get_column("dollar_amount").to_list() == [200.0, 200.0, 0.0, 30.0]
    assert read_portfolio(frame.sample(fraction=1.0, shuffle=True, seed=1)) == portfolio


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-inf"])
def test_no_number_is_not_read_as_one(value: str) -> None:
    """No limit would hold against an account that is worth NaN."""
    with pytest.raises(ValueError, match="equity: a finite number expected"):
        number({"equity": value}, "equity")


def test_later_tickers_of_a_list() -> None:
    """FB is META since 2022-06-09, and another company's since; a ticker is found however the vendor writes it."""
    aliases = [
        ("meta", "FB", date(2012, 5, 18), date(2022, 6, 8)),
        ("meta", "META", date(2022, 6, 9), None),
        ("fund", "FB", date(2023, 1, 3), None),
        ("bank", "BACpA", date(2010, 1, 4), None),
    ]

    class Aliases:
        """A data service with these aliases."""

        def securities(self, *, known_at: datetime | None) -> pl.DataFrame:
            """All of them."""
            assert known_at is None
            return pl.DataFrame(aliases, schema=list(ALIASES), orient="row")

    data = DatamanagerMarketData(cast("DatamanagerClient", Aliases()))
    found = data.later_tickers(["BACPA", "FB", "XYZ"], date(2023, 6, 1))
    assert found == {"BACPA": ["BACpA"], "FB": ["FB", "META"]}
    assert data.later_tickers(["FB"], date(2022, 6, 8)) == {"FB": ["FB"]}
