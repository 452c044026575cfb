"""Funds one after the other, each playing some rounds of chaos until something is broken or its rounds are over."""

import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from chaos.draws import draw_round
from chaos.rounds import Player
from chaos.supervised_fund import PATIENCE_SECONDS, Setup, StuckError, SupervisedFund, open_supervised_fund
from fund.market_settings import MarketSettings
from fund.services import Service
from internal.errors import FundError

STRATEGY = f"{Path(__file__).with_name('drawn_strategy.py')}:Drawn"
TICKERS = 40
TRADED = {"STRATEGY": STRATEGY, "STRATEGY_PARAMETERS": "", "TURN_SECONDS": "0.5", "LEASE_SECONDS": "3"}
AT_A_BROKER: Mapping[Service, Mapping[str, str]] = {
    Service.EXCHANGE: {"EVENT_SUBSCRIBERS": "", "EXCHANGE_BARS_STATUS": "DELAYED"},
    Service.PORTFOLIOMANAGER: {"TRADE_UPDATES": "true"},
    Service.SCHEDULER: {"BARS_DELAY_MINUTES": "30"},
}
BARS_DELAY = timedelta(minutes=31)
VENDORS = ("alpaca", "polygon")


@dataclass(frozen=True)
class Played:
    """A round that was played, and what was broken after it."""

    number: int
    text: str
    broken: Sequence[str]


@dataclass(frozen=True)
class Lap:
    """The rounds of one fund.

    Attributes:
        seed: What is drawn follows from it and the number of the round.
        numbers: The rounds.
        place: From 0; it decides how the fund is run.
        events: How often corporate actions of every kind happen where the vendor is Alpaca; Polygon states splits and
            dividends alone, and what it does not state, such as a spin-off's shares, is rightly not the fund's.
        folder: The fund's folder; it stays where something broke.
        patience: Seconds after which what is not done counts as stuck; more than the default where others work too.
    """

    seed: int
    numbers: Sequence[int]
    place: int
    events: str
    folder: Path
    patience: float = PATIENCE_SECONDS

    def play(self) -> Generator[Played]:
        """Each round in turn; the first that breaks something ends the lap."""
        vendor = VENDORS[self.place // 2 % len(VENDORS)]
        events = self.events if vendor == "alpaca" else "none"
        market = MarketSettings(None, None, self.seed + self.place, TICKERS, cash="1000000", events=events)
        variables = TRADED | {"MARKET_DATA_VENDOR": vendor}
        own = Setup(variables, {}, patience=self.patience)
        setup = replace(own, replaced=AT_A_BROKER, bars_delay=BARS_DELAY) if self.place % 2 == 0 else own
        number = self.numbers[0]
        try:
            with open_supervised_fund(self.folder, market, setup) as fund:
                for played in self._play_rounds(fund):
                    number = played.number
                    yield played
                    if played.broken:
                        return
        except FundError as error:  # a service that never answered
            yield Played(number, "a service did not start", [error.detail])
            return
        shutil.rmtree(self.folder)

    def _play_rounds(self, fund: SupervisedFund) -> Generator[Played]:
        player = Player(fund)
        try:
            player.open()
        except StuckError as error:
            yield Played(self.numbers[0], "the opening", [str(error)])
            return
        for number in self.numbers:
            drawn = draw_round(self.seed, number)
            yield Played(number, drawn.describe(), player.play(drawn))
