"""Which securities the fund may open, whatever a strategy asks for: by type, and by lists of names."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from internal.errors import ConfigurationError
from internal.security_types import COMMON_STOCK, KNOWN_TYPES
from internal.trading.assets import Refusals
from internal.trading.day_inputs import Details

PREFIXES = {"sector": "sectors", "type": "security_types"}


@dataclass(frozen=True)
class NameList:
    """Securities by ticker, by sector, or by type, all in capitals; what is looked up may be in any case."""

    tickers: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    security_types: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is in it."""
        return bool(self.tickers or self.sectors or self.security_types)

    def follow(self, names: Mapping[str, Collection[str]]) -> "NameList":
        """The list with the tickers that its securities have now, by ticker that they had once."""
        now = {new.upper() for old, later in names.items() if old.upper() in self.tickers for new in later}
        return self if now <= self.tickers else replace(self, tickers=self.tickers | now)

    def to_text(self) -> str:
        """What `parse_name_list` reads, sorted."""
        named = {f"{kind}:{value}" for kind, field in PREFIXES.items() for value in getattr(self, field)}
        return ",".join((*sorted(self.tickers), *sorted(named)))

    def find(self, ticker: str, sector: str | None, security_type: str | None) -> str | None:
        """What of the security is in the list, in words; None when nothing is."""
        if ticker.upper() in self.tickers:
            return "it"
        if sector is not None and sector.upper() in self.sectors:
            return f"its sector {sector}"
        is_listed = security_type is not None and security_type.upper() in self.security_types
        return f"its type {security_type}" if is_listed else None


@dataclass(frozen=True)
class NameFilter:
    """What may be opened and added to; what is held already may always be closed.

    Attributes:
        security_types: The data vendor's codes of the types that are traded: CS is common stock, ADRC a depositary
            receipt. A security without any type is traded, so that bars without details can be; UNKNOWN is the type
            of one that a vendor lists without saying what it is.
        do_not_trade: What is never opened.
        only_trade: What alone is opened; an empty list does not limit anything.
    """

    security_types: frozenset[str] = frozenset({COMMON_STOCK})
    do_not_trade: NameList = field(default_factory=NameList)
    only_trade: NameList = field(default_factory=NameList)

    @property
    def tickers(self) -> frozenset[str]:
        """All tickers that a list names."""
        return self.do_not_trade.tickers | self.only_trade.tickers

    def follow(self, names: Mapping[str, Collection[str]]) -> "NameFilter":
        """The filter of a day: a security stays in a list under every later ticker, by ticker that it had once."""
        listed = self.do_not_trade.follow(names), self.only_trade.follow(names)
        return NameFilter(self.security_types, *listed)

    def refusal(self, ticker: str, sector: str | None, security_type: str | None) -> str | None:
        """Why the security is not opened; None when it may be."""
        if security_type is not None and security_type not in self.security_types:
            return f"its type {security_type} is not among the traded types {', '.join(sorted(self.security_types))}"
        if (named := self.do_not_trade.find(ticker, sector, security_type)) is not None:
            return f"{named} is on the do-not-trade list"
        if self.only_trade and self.only_trade.find(ticker, sector, security_type) is None:
            return "it is not on the only-trade list"
        return None


@lru_cache(maxsize=8)
def find_refusals(tickers: tuple[str, ...], details: Details | None, names: NameFilter) -> Refusals:
    """The tickers that the filter refuses, with the reasons; remembered, because details change seldom."""
    unknown = (None,) * len(tickers)
    sectors, types = (unknown, unknown) if details is None else (details.sector, details.security_type)
    found = {
        ticker: reason
        for ticker, sector, kind in zip(tickers, sectors, types, strict=True)
        if (reason := names.refusal(ticker, sector, kind)) is not None
    }
    return Refusals(MappingProxyType(found), frozenset(found))


def parse_types(text: str) -> frozenset[str]:
    """The codes of types in a list separated by commas. Raises ConfigurationError without any, or for no type's code.

    >>> sorted(parse_types("CS, adrc"))
    ['ADRC', 'CS']
    """
    types = frozenset(entry.upper() for entry in _split(text))
    if not types:
        raise ConfigurationError("it is empty: name the types that are traded, for example CS,ADRC")
    _require_known(types)
    return types


def parse_name_list(text: str) -> NameList:
    """The list of entries separated by commas: `TSLA`, `sector:HEALTH CARE`, `type:ETF`.

    >>> parse_name_list("TSLA, type:ETF").security_types
    frozenset({'ETF'})

    Raises ConfigurationError for an entry of another kind, and for no type's code.
    """
    found: dict[str, set[str]] = {"tickers": set(), "sectors": set(), "security_types": set()}
    for entry in _split(text):
        kind, colon, value = entry.partition(":")
        if not colon:
            found["tickers"].add(entry.upper())
        elif kind in PREFIXES and value.strip():
            found[PREFIXES[kind]].add(value.strip().upper())
        else:
            raise ConfigurationError(f"{entry!r} is no entry of a list: write TICKER, sector:NAME or type:CODE")
    _require_known(found["security_types"])
    return NameList(*(frozenset(found[name]) for name in ("tickers", "sectors", "security_types")))


def _require_known(types: AbstractSet[str]) -> None:
    if wrong := sorted(types - set(KNOWN_TYPES)):
        raise ConfigurationError(f"no such type: {', '.join(wrong)}; there are {', '.join(KNOWN_TYPES)}")


def _split(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]
