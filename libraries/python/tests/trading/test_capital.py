"""Capital that bounds the fund: hand calculations, and a fund that is played beside the holding of somebody else."""

from dataclasses import replace
from decimal import Decimal

import pytest
from loaded_strategies import ten_by_ten

from internal.books.activities import external_flows
from internal.books.outside import outside_flows
from internal.errors import ConfigurationError
from internal.simulation.venue_activities import VenueActivities
from internal.simulation.world import World
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.capital import Capital, bound_account
from internal.trading.capital_broker import CapitalBroker
from internal.trading.limits import RiskLimits
from internal.trading.performance import report_performance
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce

ACCOUNT = Account("account", None, 100_000.0, 85_000.0, 200_000.0, 20_000.0, -5_000.0)
POSITIONS = [
    BrokerPosition("MINE", 100.0, 100.0, 100.0, 10_000.0, 0.0),
    BrokerPosition("BOTH", 100.0, 100.0, 100.0, 10_000.0, 0.0),
    BrokerPosition("THEIRS", -50.0, 100.0, 100.0, -5_000.0, 0.0),
]
FOREIGN = {"BOTH": 40.0, "THEIRS": -50.0}


def test_what_others_hold_is_outside() -> None:
    """100,000 less 4,000 and plus 5,000 of others: of 101,000 the fund has at most 30,000, of which 16,000 are long."""
    found = bound_account(ACCOUNT, POSITIONS, FOREIGN, Capital(dollars=30_000))
    assert (found.net_asset_value, found.pool) == (30_000, 101_000)
    assert (found.long_market_value, found.short_market_value, found.cash) == (16_000, 0, 14_000)
    assert found.buying_power == 44_000  # twice the capital, less what is held
    assert bound_account(ACCOUNT, POSITIONS, FOREIGN, Capital(share=0.5)).net_asset_value == 50_500
    assert bound_account(ACCOUNT, POSITIONS, FOREIGN, Capital(dollars=1e6)).net_asset_value == 101_000


def test_capital_is_parsed() -> None:
    """Dollars, or a share."""
    assert (Capital.parse("50000"), Capital.parse(" 50 % ")) == (Capital(dollars=50_000), Capital(share=0.5))


@pytest.mark.parametrize("text", ["", "half", "0", "-5", "101%", "0%", "nan", "inf", "50%%"])
def test_wrong_capital_says_what_to_write(text: str) -> None:
    """A sentence with both forms."""
    with pytest.raises(ConfigurationError, match="such as 50000, or a share of the account, such as 50%"):
        Capital.parse(text)


def test_fills_that_are_not_recorded_yet_are_no_holding_of_others() -> None:
    """Decided again before any reconciliation: the snapshot counts what has filled meanwhile as the fund's own."""
    fund = World.make(11, sessions_played=4, tickers=30).open_fund()
    broker = CapitalBroker(fund.ports, Capital(share=1.0))
    rebalancer = Rebalancer(replace(fund.ports, broker=broker), ten_by_ten(names_per_side=3), RiskLimits())
    rebalancer.run(None)
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)
    rebalancer.run(None)
    snapshot, whole = fund.journal.last_snapshot(), fund.ports.broker.account()
    assert snapshot is not None
    assert whole.long_market_value > 0
    assert snapshot.long_market_value == pytest.approx(whole.long_market_value)
    assert snapshot.net_asset_value == pytest.approx(whole.net_asset_value)


def test_a_bounded_fund_beside_another_holding() -> None:
    """20,000 of 100,000: sized by it; a purchase of somebody else is a flow, and the return is the gain over 20,000."""
    fund = World.make(11, sessions_played=4, tickers=30).open_fund()
    broker = CapitalBroker(fund.ports, Capital(dollars=20_000))
    ports = replace(fund.ports, broker=broker)
    rebalancer = Rebalancer(ports, ten_by_ten(names_per_side=3), RiskLimits())
    rows = rebalancer.run(None).portfolio
    assert rows is not None
    assert 0 < sum(row.dollar_amount for row in rows.rows) <= 20_000 * 1.01
    theirs = next(
        ticker for ticker in sorted(ports.broker.assets().tradable) if ticker not in {row.ticker for row in rows.rows}
    )
    fund.core.submit(
        OrderRequest(theirs, Side.BUY, OrderType.MARKET, TimeInForce.DAY, Decimal(50), None, None, None, None)
    )
    for _ in range(3):
        fund.move(Auction.OPEN)
        fund.move(Auction.CLOSE)
        rebalancer.reconcile()
    fund.core.transfer_cash(Decimal(5000))
    rebalancer.reconcile()

    activities = VenueActivities(fund.repository).read_new()
    own = {order.broker_order_id for order in fund.journal.orders() if order.broker_order_id is not None}
    flows = [*external_flows(activities), *outside_flows(activities, own)]
    report = report_performance(fund.journal.snapshots(), flows)
    assert {point.net_asset_value for point in report.points} == {20_000}
    bought = sum(row.net_amount for row in activities if row.type == "FILL" and row.order_id in own)
    held = sum(one.market_value or 0.0 for one in ports.broker.positions() if one.ticker != theirs)
    charged = sum(row.net_amount for row in activities if row.type == "FEE")
    gain = float(bought + charged) + held
    assert report.total_return == pytest.approx(gain / 20_000, abs=2e-4)  # linked by session, the gain is added up
