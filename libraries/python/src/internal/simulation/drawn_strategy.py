"""A strategy that opens, tops up, trims, keeps and closes names at random, as a function of its seed and the day."""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from internal.dates import next_session
from internal.trading.positions import Position
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe

NAMES, OPENING_WEIGHT = 8, 0.08
KEPT, CLOSED, GROWN = 0.2, 0.35, 0.75  # upper ends of what is drawn for a position; above them it is trimmed
GROWTH, TRIM = 1.5, 0.6


@dataclass(frozen=True)
class DrawnStrategy:
    """The strategy; `short` is the part of its new names that it sells short."""

    seed: int
    short: float

    @property
    def record(self) -> StrategyRecord:
        """Name, parameters and digest."""
        return StrategyRecord("drawn", "{}", "0" * 64)

    @property
    def needs(self) -> DataNeeds:
        """Prices alone."""
        return DataNeeds(Universe(), 0, forecasts=False)

    def is_due(self, day: date) -> bool:
        """In every session."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Targets:
        """What becomes of each position, and new names up to NAMES."""
        held = [self._change(position, situation) for position in situation.positions]
        names = {position.ticker for position in situation.positions}
        allowed = zip(situation.tickers, situation.may_open, situation.may_short, strict=True)
        chosen = sorted((self._draw("open", situation.day, one), one, short) for one, opens, short in allowed if opens)
        free = [(ticker, short) for _, ticker, short in chosen if ticker not in names][: max(NAMES - len(names), 0)]
        opened = [self._open(ticker, situation.day, shortable=bool(short)) for ticker, short in free]
        return Targets((*(target for target in held if target is not None), *opened))

    def _change(self, position: Position, situation: Situation) -> Target | None:
        drawn = self._draw("change", situation.day, position.ticker)
        if drawn < KEPT:
            return Target(position.ticker, None, "kept")
        if drawn < CLOSED:
            return None
        weight = position.quantity * situation.price_of(position) / situation.capital
        grows = drawn < GROWN
        return Target(position.ticker, weight * (GROWTH if grows else TRIM), "topped up" if grows else "trimmed")

    def _open(self, ticker: str, day: date, *, shortable: bool) -> Target:
        is_short = shortable and self._draw("side", day, ticker) < self.short
        return Target(ticker, -OPENING_WEIGHT if is_short else OPENING_WEIGHT, "drawn")

    def _draw(self, what: str, day: date, ticker: str) -> float:
        digest = sha256(f"{self.seed}|{what}|{day}|{ticker}".encode()).digest()
        return int.from_bytes(digest[:4]) / 2**32
