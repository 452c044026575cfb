"""What a finished backtest came to: the account by session, fills with what they cost, fees, and the benchmark."""

from dataclasses import dataclass

import numpy as np

from internal.backtests.report_rows import Note
from internal.backtests.settings import BacktestSettings
from internal.simulation.adjustment import forward_factors
from internal.simulation.fund import SimulatedFund
from internal.simulation.market_tables import MarketTables
from internal.trading.arrays import FloatArray
from internal.venue.history import Movement, MovementKind
from internal.venue.margin_account import MarginAccount
from internal.venue.repository import HistoryQuery
from research.engine.fills import list_fills
from research.engine.market import BacktestMarket
from research.result import BacktestResult, Benchmark

FEES = frozenset({MovementKind.SEC_FEE, MovementKind.TAF_FEE, MovementKind.CAT_FEE})
BORROWING = frozenset({MovementKind.BORROW_FEE, MovementKind.MARGIN_INTEREST})  # of shares, and of cash
BENCHMARK = "equal dollars of every ticker at the opening"


@dataclass(frozen=True)
class AccountSeries:
    """Dollars at the close of each session, after its fees and the borrow cost until the next one."""

    net_asset_value: list[float]
    cash: list[float]
    long_market_value: list[float]
    short_market_value: list[float]

    @classmethod
    def empty(cls) -> "AccountSeries":
        """No session yet."""
        return cls([], [], [], [])

    def add(self, account: MarginAccount) -> None:
        """One more session."""
        self.net_asset_value.append(float(account.equity))
        self.cash.append(float(account.cash))
        self.long_market_value.append(float(account.long_market_value))
        self.short_market_value.append(float(account.short_market_value))


def collect_result(
    settings: BacktestSettings, market: BacktestMarket, fund: SimulatedFund, account: AccountSeries
) -> BacktestResult:
    """The result of a fund that has played every session of the market."""
    return BacktestResult(
        settings=settings,
        days=market.days,
        net_asset_value=np.array(account.net_asset_value),
        cash=np.array(account.cash),
        long_market_value=np.array(account.long_market_value),
        short_market_value=np.array(account.short_market_value),
        fees=_charges(fund, market, FEES),
        borrow=_charges(fund, market, BORROWING),
        fills=tuple(list_fills(fund, market.market)),
        benchmark=Benchmark(BENCHMARK, equal_dollars(market.tables, market.first)),
        notes=tuple(Note(run.date, note) for run in fund.journal.runs() for note in run.notes),
    )


def _charges(fund: SimulatedFund, market: BacktestMarket, kinds: frozenset[MovementKind]) -> FloatArray:
    """[D] dollars that the venue charged in each session."""
    places, charged = {day: place for place, day in enumerate(market.days)}, np.zeros(len(market.days))
    for row in fund.repository.find_history(HistoryQuery()):
        if isinstance(row.entry, Movement) and row.entry.kind in kinds:
            charged[places[row.session]] -= float(row.entry.net_amount)
    return charged


def equal_dollars(tables: MarketTables, first: int) -> FloatArray:
    """[S - first] the value of a dollar put into all names with a bar at a session, dividends invested again.

    A name without a bar keeps its last value; one that is delisted stays cash.
    """
    shape = tables.close.shape
    adjusted = (
        tables.close * forward_factors(tables.split_factors, shape) * forward_factors(tables.dividend_factors, shape)
    )
    held = adjusted[first:, np.isfinite(adjusted[first])]
    known = np.where(np.isfinite(held), np.arange(len(held))[:, None], 0)
    last = np.maximum.accumulate(known, axis=0)
    return (np.take_along_axis(held, last, axis=0) / held[0]).mean(axis=1)
