"""What an account was charged before the fund's first decision is no cost of the fund."""

from decimal import Decimal

from loaded_strategies import ten_by_ten

from internal.simulation.venue_activities import VenueActivities
from internal.simulation.world import World
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction
from internal.venue.orders import OrderRequest, OrderType, Side, TimeInForce


def test_costs_begin_with_the_first_decision() -> None:
    """Somebody buys and sells and sells short before: nothing is the fund's; later each fee of its sessions is."""
    fund = World.make(11, sessions_played=8, tickers=30).open_fund()
    rebalancer = Rebalancer(fund.ports, ten_by_ten(names_per_side=3, same_day_lock=False), RiskLimits())
    ticker = min(fund.ports.broker.assets().shortable)

    def play(*orders: tuple[Side, int]) -> None:
        for side, quantity in orders:
            fund.core.submit(
                OrderRequest(
                    ticker, side, OrderType.MARKET, TimeInForce.DAY, Decimal(quantity), *(None, None, None, None)
                )
            )
        fund.move(Auction.OPEN)
        fund.move(Auction.CLOSE)

    play((Side.BUY, 500))
    play((Side.SELL, 500))
    play((Side.SELL, 400))
    play((Side.BUY, 400))
    before = [row for row in VenueActivities(fund.repository).read_new() if row.type == "FEE"]
    assert {row.description for row in before} >= {"sec_fee", "taf_fee"}
    rebalancer.reconcile()
    (snapshot,) = fund.journal.snapshots()
    assert (snapshot.fees, snapshot.borrow) == (0.0, 0.0)

    first = rebalancer.run(None).run.date
    play()
    rebalancer.run(None)
    play()
    rebalancer.reconcile()
    charged = [row for row in VenueActivities(fund.repository).read_new() if row.type == "FEE" and row.day > first]
    last = fund.journal.last_snapshot()
    assert last is not None
    assert Decimal(str(round(last.fees + last.borrow, 2))) == -sum(row.net_amount for row in charged)
    assert last.fees > 0
