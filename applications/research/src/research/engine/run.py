"""One backtest: every session's open auction, reconciliation, close auction and rebalance, as the services walk it."""

import gc
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from internal.backtests.settings import BacktestSettings
from internal.code_digest import digest_code
from internal.simulation.fund import SimulatedFund
from internal.simulation.known_forecasts import KnownForecasts
from internal.simulation.table_data import TableData
from internal.simulation.whole_history import whole_history
from internal.strategies.loading import LoadedStrategy
from internal.trading.arrays import FloatArray
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction
from research.engine.later_rows import require_no_later_rows
from research.engine.market import BacktestMarket
from research.engine.outcome import AccountSeries, collect_result
from research.result import BacktestResult

CODE = ("internal.simulation", "internal.strategies", "internal.trading", "internal.venue", "research.engine")


@dataclass(frozen=True)
class Terms:
    """The account: dollars at the opening, what costs are multiplied by, and the fund's limits."""

    capital: Decimal = Decimal(100_000)
    cost_multiple: Decimal = Decimal(1)
    limits: RiskLimits = field(default_factory=RiskLimits)


@dataclass(frozen=True, eq=False)
class Backtest:
    """A strategy on a market, before it runs.

    Attributes:
        market: The market and the sessions.
        strategy: The strategy with its parameters.
        address: Its `FILE.py:Class`.
        terms: The account.
        forecasts: What it reads; None for a strategy that reads none.
    """

    market: BacktestMarket
    strategy: LoadedStrategy
    address: str
    terms: Terms = field(default_factory=Terms)
    forecasts: KnownForecasts | None = None

    @cached_property
    def settings(self) -> BacktestSettings:
        """Everything that decides the outcome."""
        record, market, names = self.strategy.record, self.market, self.terms.limits.names
        return BacktestSettings(
            strategy=self.address,
            parameters=json.loads(record.parameters),
            strategy_digest=record.digest,
            code_digest=digest_code(CODE),
            market=market.description,
            bars_digest=market.bars_digest,
            forecasts="" if self.forecasts is None else self.forecasts.key,
            capital=float(self.terms.capital),
            cost_multiple=float(self.terms.cost_multiple),
            first_session=market.days[0],
            last_session=market.days[-1],
            security_types=",".join(sorted(names.security_types)),
            do_not_trade=names.do_not_trade.to_text(),
            only_trade=names.only_trade.to_text(),
        )

    def scores(self) -> FloatArray | None:
        """[D, N] the strategy's scores of all sessions in one pass; None where it writes `decide` alone.

        Raises StrategyError, also for a score that reads later rows.
        """
        if not self.strategy.strategy.has_score():
            return None
        market = self.market
        history = whole_history(market.tables, market.first, market.details, self.forecasts)
        scores = self.strategy.score_sessions(history, market.days, market.tables.tickers)
        if scores is not None:
            require_no_later_rows(self.strategy, history, scores, market.days)
        return scores


def run_backtest(backtest: Backtest, on_session: Callable[[date], None] = lambda _: None) -> BacktestResult:
    """Play every session; `on_session` is called after each one.

    Raises StrategyError, with the traceback of the strategy's own code, when the strategy fails.
    """
    account = AccountSeries.empty()

    def note(day: date, fund: SimulatedFund) -> None:
        account.add(fund.core.state.account)
        on_session(day)

    with paused_collector():
        fund = play_sessions(backtest, note)
    return collect_result(backtest.settings, backtest.market, fund, account)


@contextmanager
def paused_collector() -> Generator[None]:
    """Without garbage collections, whose cost grows with the rows that a backtest keeps; the engine makes no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def play_sessions(
    backtest: Backtest, on_session: Callable[[date, SimulatedFund], None] = lambda _, __: None
) -> SimulatedFund:
    """The fund after every session; `on_session` is called after each one. Raises as `run_backtest`."""
    return play_fund(open_fund(backtest), backtest, on_session)


def play_fund(
    fund: SimulatedFund,
    backtest: Backtest,
    on_session: Callable[[date, SimulatedFund], None] = lambda _, __: None,
) -> SimulatedFund:
    """Play every session with a fund that was opened. Raises as `run_backtest`."""
    limits = replace(backtest.terms.limits, hand_trade_sessions=0)  # nobody else is in the account
    rebalancer = Rebalancer(fund.ports, backtest.strategy, limits)
    rebalancer.recover()
    rebalancer.run(None)
    on_session(backtest.market.days[0], fund)
    for day in backtest.market.days[1:]:
        fund.move(Auction.OPEN)
        rebalancer.reconcile()
        fund.move(Auction.CLOSE)
        rebalancer.run(None)
        on_session(day, fund)
    return fund


def open_fund(backtest: Backtest) -> SimulatedFund:
    """The fund at the close of the opening session, with nothing decided."""
    market, terms = backtest.market, backtest.terms
    data = TableData(market.tables, market.days[0], market.details, backtest.forecasts, backtest.scores())
    return SimulatedFund.open(market.market, data, terms.capital, cost_multiple=terms.cost_multiple)
