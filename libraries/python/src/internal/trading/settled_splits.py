"""The splits on which the data service and the broker agree: what is written to the journal for good counts with these.

A split that only one of them states may be counted later, or never; a row that was written without it would stay wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from internal.dates import exchange_day
from internal.trading.broker_splits import BrokerSplits
from internal.trading.entries import EntryMemory
from internal.trading.held_securities import HeldSecurities
from internal.trading.own_holdings import list_splits_since
from internal.trading.ports import TradingPorts
from internal.trading.position_attribution import group_by_ticker
from internal.trading.splits import Split


@dataclass(frozen=True, slots=True)
class SettledSplits:
    """Splits of securities of the fund.

    Attributes:
        by_ticker: Those that the data service states and that the account shows; nothing for a name without any.
        waiting: Names with a split that only one of the two states.
    """

    by_ticker: Mapping[str, Sequence[Split]]
    waiting: frozenset[str]


def find_settled_splits(
    ports: TradingPorts, held: HeldSecurities, moment: datetime, memory: EntryMemory
) -> SettledSplits:
    """The splits of the securities since the fund opened them; where the data service is down, none is stated."""
    stated = list_splits_since(ports.data, held, moment)
    at_broker = BrokerSplits(ports.broker, held, exchange_day(moment))
    carried_out = at_broker.keep_carried_out(stated, memory.carried_out)
    late = {split.ticker for split in set(stated).difference(carried_out)}
    unstated = {ticker for ticker in held if at_broker.lists_unstated(ticker, stated)}
    return SettledSplits(group_by_ticker(carried_out), frozenset(late | unstated))
