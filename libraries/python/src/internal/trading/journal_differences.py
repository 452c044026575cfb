"""How far the journal and the broker disagree: shares that the fund should hold and that the account does not have."""

from collections.abc import Collection, Mapping

from internal.trading.action_holdings import count_own_shares
from internal.trading.broker_reports import BrokerPosition
from internal.trading.entries import EntryMemory
from internal.trading.held_securities import HeldSecurities
from internal.trading.ports import TradingPorts
from internal.trading.position_attribution import SHARE
from internal.trading.splits import Split


def sum_missing_dollars(
    ports: TradingPorts,
    positions: Collection[BrokerPosition],
    held: HeldSecurities,
    splits_of: Mapping[str, Collection[Split]],
    memory: EntryMemory,
) -> float:
    """Dollars of the fund's shares, by the journal, that the broker does not have, and that nothing explains.

    Of a name that the account still has, at the broker's price; of one that is gone, from the last decision's portfolio
    at the price of that decision.

    Args:
        ports: The journal and the portfolios.
        positions: The broker's.
        held: The fund's securities among them.
        splits_of: The splits of each ticker that the account shows.
        memory: What was computed of entries before.
    """
    found = {one.ticker: one for one in positions}
    missing = 0.0
    for ticker, security in held.items():
        shares = memory.sum_shares(security.fills, tuple(splits_of.get(ticker, ())))
        price = found[ticker].share_value or found[ticker].average_entry_price
        missing += _short_of(shares, found[ticker].quantity) * price
    return missing + _sum_gone(ports, held, {security.security_id for security in held.values()})


def _sum_gone(ports: TradingPorts, held: HeldSecurities, known: Collection[str]) -> float:
    """The names of the last decision's portfolio that the account does not have at all, in shares of that day."""
    run = ports.journal.last_run()
    portfolio = None if run is None else ports.portfolios.find(run.portfolio_id)
    dollars = 0.0
    if portfolio is None:
        return dollars
    for row in portfolio.rows:
        security, fills = ports.journal.security_of(row.ticker), ports.journal.fills(row.ticker)
        if row.ticker in held or security is None or security in known:
            continue
        shares = count_own_shares(row.ticker, security, fills, portfolio.day, ports)
        dollars += _short_of(shares, 0.0) * row.reference_price
    return dollars


def _short_of(owned: float, held: float) -> float:
    """Shares that are owned by the journal and not held on that side; less than one is rounding."""
    short = abs(owned) - (abs(held) if held * owned > 0 else 0.0)
    return short if short >= SHARE else 0.0
