"""The definition of a backtest, and the file that ties a folder to one backtest."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Final

from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.options import ModelSize
from internal.atomic_files import write_atomically
from internal.baselines.catalogue import BASELINES
from internal.dates import previous_session, sessions
from internal.day_option import require_order
from internal.errors import ConfigurationError
from internal.trading.strategy import StrategyRecord

MODELS: Final = (*ModelSize, *BASELINES)
MINIMUM_SESSIONS: Final = 2


@dataclass(frozen=True)
class Backtest:
    """The definition of one backtest; fixed for the life of its folder.

    Attributes:
        first_session: The first session that is traded.
        last_session: The last one.
        model: What `models train` fits: `small`, `full`, or a baseline's kind.
        refit_every: The number of sessions between two fits of the model.
        strategy: What decides: its class, parameters and the digest of its file.
    """

    first_session: date
    last_session: date
    model: str
    refit_every: int
    strategy: StrategyRecord

    @property
    def opening_session(self) -> date:
        """The session at whose close the fund opens and decides what it buys on the first one."""
        return previous_session(self.first_session)

    @property
    def session_count(self) -> int:
        """How many sessions are traded."""
        return len(sessions(self.first_session, self.last_session))


def define_backtest(
    first_day: date, last_day: date, model: str, refit_every: int, strategy: StrategyRecord
) -> Backtest:
    """The backtest between two days, which need not be sessions.

    Raises:
        InvalidRequestError: The last day is before the first.
        ConfigurationError: The days hold fewer than two sessions, or there is no model of that name.
    """
    require_order(first_day, last_day)
    days = sessions(first_day, last_day)
    if len(days) < MINIMUM_SESSIONS:
        raise ConfigurationError(
            f"{first_day} to {last_day} holds {len(days)} sessions; a backtest needs {MINIMUM_SESSIONS} or more"
        )
    if model not in MODELS:
        raise ConfigurationError(f"there is no model {model}; choose one of {', '.join(MODELS)}")
    return Backtest(days[0], days[-1], model, refit_every, strategy)


def claim_folder(folder: FundFolder, backtest: Backtest) -> None:
    """Write the backtest into its folder, or check that the folder holds the same one.

    A backtest that never opened, because the market does not have its days, is replaced.

    Raises:
        ConfigurationError: The folder holds a fund or another backtest.
    """
    path, market = folder.root / "backtest.json", folder.read_market()
    text, stored = json.dumps(asdict(backtest), indent=2, default=str), path.read_text() if path.exists() else None
    if market is None or (stored is not None and market.session is None):
        folder.forget_market()
        write_atomically(path, text)
    elif stored is None:
        raise ConfigurationError(f"{folder.root} holds a fund; a backtest needs a folder of its own: --folder")
    elif stored != text:
        raise ConfigurationError(
            f"{folder.root} holds another backtest ({' '.join(stored.split())}); choose another --folder"
        )


def open_market_at(backtest: Backtest, market: MarketSettings) -> MarketSettings:
    """The market, opening at the close before the backtest's first session."""
    return replace(market, session=None, start=backtest.opening_session.isoformat())
