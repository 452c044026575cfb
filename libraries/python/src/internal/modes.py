"""Whose money an account holds, by the address of its broker: nobody's, paper money, or real money."""

from enum import StrEnum
from urllib.parse import urlsplit

PAPER_HOST = "paper-api.alpaca.markets"
LIVE_HOST = "api.alpaca.markets"


class Mode(StrEnum):
    """What is at stake: a simulated market, paper money at a real broker, or real money."""

    SIMULATED = "simulated"
    PAPER = "paper"
    LIVE = "live"

    @property
    def banner(self) -> str:
        """The word that every command, page and message shows."""
        return self.value.upper()


def mode_of(broker_url: str) -> Mode:
    """The mode of a broker's address: any but Alpaca's two is an exchange of our own, which never gets a live key."""
    host = urlsplit(broker_url).hostname
    return {LIVE_HOST: Mode.LIVE, PAPER_HOST: Mode.PAPER}.get(host or "", Mode.SIMULATED)
