"""A fund on a user's own file: it starts late, ends early, refuses changed bars and goes on with a longer file."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from fund_command import FundCommand

from internal.dates import sessions
from internal.lake.store import Lake
from internal.venue.market.simulated import SimulatedMarket

DAYS = sessions(date(2023, 1, 3), date(2023, 11, 30))
OPENING, SHORT, LONGER = 182, 187, 190  # places of sessions: 183 sessions train the model, 5 and 8 are left

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]


def write(path: Path, bars: pl.DataFrame) -> str:
    """Bars as a spreadsheet of a continental country writes them."""
    names = {"ticker": "Symbol", "open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
    days = pl.col("date").dt.strftime("%d.%m.%Y").alias("Date")
    prices = [pl.col(name).cast(pl.String).str.replace(".", ",", literal=True) for name in names if name != "ticker"]
    bars.select("ticker", days, *prices).rename(names).write_csv(path, separator=";")
    return str(path)


def test_longer_file(make_fund: Callable[[], FundCommand], tmp_path: Path) -> None:
    """To the end of the file; a file with one changed price is refused; a longer one continues with the same orders."""
    market = SimulatedMarket(ticker_count=40, first_day=DAYS[0], last_day=DAYS[-1], opening_day=DAYS[OPENING])
    bars = pl.concat([market.bars(day) for day in DAYS[: LONGER + 1]])
    ticker = bars.get_column("ticker")[0]
    is_changed = (pl.col("ticker") == ticker) & (pl.col("date") == DAYS[0])
    other = bars.with_columns(pl.when(is_changed).then(pl.col("close") + 0.01).otherwise("close").alias("close"))
    (tmp_path / "details.CSV").write_text(f"ticker,name,sector\n{ticker},The first,Energy\n")
    fund = make_fund()
    lake = Lake(str(fund.home / "lake"))

    short = write(tmp_path / "short.csv", bars.filter(pl.col("date") <= DAYS[SHORT]))
    code, printed = fund.run(
        "up", "--once", "--bars", short, "--details", str(tmp_path / "details.CSV"), "--sessions", "9"
    )
    assert code == 0, printed
    assert "dates: day first, day.month.year" in printed
    assert "No ticker has a known sector" not in printed  # the exchange answers none, and the file one
    assert lake.scan("equity_details").filter(pl.col("sector") == "Energy").collect()["ticker"].to_list() == [ticker]
    assert "The market ends here, after 5 of 9 sessions" in printed
    orders = lake.scan("orders").collect()
    assert orders.height

    code, printed = fund.run("up", "--once", "--bars", write(tmp_path / "other.csv", other))
    assert code == 1
    assert f"{ticker} on {DAYS[0]}: close" in printed

    code, printed = fund.run("up", "--once", "--bars", write(tmp_path / "longer.csv", bars), "--sessions", "7")
    assert code == 0, printed
    assert "The market ends here" not in printed
    kept = lake.scan("orders").collect().filter(pl.col("date") < DAYS[SHORT])
    assert kept.sort("client_order_id").equals(orders.filter(pl.col("date") < DAYS[SHORT]).sort("client_order_id"))
    assert f"opened after {DAYS[OPENING]}" in fund.run("status")[1]
