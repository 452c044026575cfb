"""Whose money an account holds, by the address of its broker: nobody's, paper money, or real money."""

from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from internal.errors import ConfigurationError

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

    @property
    def explanation(self) -> str:
        """What the word means, for everybody who sees it."""
        return {
            Mode.SIMULATED: "no account: orders go to a simulated exchange",
            Mode.PAPER: "paper money: orders go to Alpaca's paper account",
            Mode.LIVE: "REAL MONEY: orders go to Alpaca's live account",
        }[self]


def mode_of(broker_url: str) -> Mode:
    """The mode of a broker's address: any but Alpaca's two is an exchange of our own, which never gets a live key."""
    host = urlsplit(broker_url).hostname
    return {LIVE_HOST: Mode.LIVE, PAPER_HOST: Mode.PAPER}.get(host or "", Mode.SIMULATED)


def require_matching_keys(key: str, url: str) -> None:
    """Raise ConfigurationError unless the key belongs to the address: PK... is paper, AK... is live.

    A loopback address (the simulated exchange) takes any key. No other address ever gets a live key.
    """
    host = urlsplit(url).hostname or ""
    if not host:
        raise ConfigurationError("ALPACA_BASE_URL is no URL: write it as https://host")
    if is_loopback(host):
        return
    if host == PAPER_HOST and not key.startswith("PK"):
        raise ConfigurationError(f"ALPACA_BASE_URL is {PAPER_HOST}, but ALPACA_API_KEY_ID is no paper key (PK...)")
    if host == LIVE_HOST and not key.startswith("AK"):
        raise ConfigurationError(f"ALPACA_BASE_URL is {LIVE_HOST}, but ALPACA_API_KEY_ID is no live key (AK...)")
    if host != LIVE_HOST and key.startswith("AK"):
        raise ConfigurationError(
            f"ALPACA_API_KEY_ID is a live key (AK...): it is sent to {LIVE_HOST} only, not to {host}"
        )
    if host in {PAPER_HOST, LIVE_HOST} and urlsplit(url).scheme != "https":
        raise ConfigurationError("ALPACA_BASE_URL is not https: keys would be sent unencrypted")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
