"""Which column of a file is which: the usual names of each, in any case and with any punctuation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from internal.bar_files.errors import TableFileError

AVERAGE = "volume_weighted_average_price"
ADJUSTED_CLOSE = "adjusted_close"

# Letters only, see `letters_of`: the first name of a list is preferred where a file has several of them.
BAR_NAMES: Mapping[str, tuple[str, ...]] = {
    "ticker": ("ticker", "symbol", "sym", "tic", "tickersymbol", "stock", "code", "instrument", "security", "name"),
    "date": (
        *("date", "session", "tradedate", "tradingday", "day", "datetime", "timestamp", "windowstart", "tsevent"),
        *("time", "t", "indexlevel", "index", ""),  # the last three: how pandas writes an index without a name
    ),
    "open": ("open", "openprice", "o"),
    "high": ("high", "highprice", "h"),
    "low": ("low", "lowprice", "l"),
    "close": ("close", "closeprice", "closelast", "last", "c"),
    "volume": ("volume", "vol", "sharevolume", "totalvolume", "v"),
    AVERAGE: ("volumeweightedaverageprice", "vwap", "vw", "averageprice", "avgprice"),
    "transactions": ("transactions", "numberoftrades", "tradecount", "trades", "n"),
    ADJUSTED_CLOSE: ("adjustedclose", "adjclose", "closeadj", "adjcloseprice", "closeadjusted"),
}
DETAIL_NAMES: Mapping[str, tuple[str, ...]] = {
    "ticker": BAR_NAMES["ticker"][:-2],  # here `security` and `name` are what the company is called
    "name": ("name", "companyname", "company", "security", "securityname", "longname", "shortname", "issuer"),
    "sector": ("sector", "gicssector", "sectorname"),
    "industry": ("industry", "gicssubindustry", "subindustry", "gicsindustry", "industryname", "industrygroup"),
    "sic_code": ("siccode", "sic"),
    "sic_description": ("sicdescription",),
    "primary_exchange": ("primaryexchange", "exchange", "listingexchange"),
}
WEAK_NAMES = frozenset({"", "index", "indexlevel"})  # no sign that a line holds names of columns
KNOWN_NAMES = frozenset(
    usual for names in (BAR_NAMES, DETAIL_NAMES) for listed in names.values() for usual in listed
).difference(WEAK_NAMES)


@dataclass(frozen=True)
class RecognizedColumns:
    """The columns of a file: `names` gives for each known column its name in the file; `ignored` are the others."""

    names: Mapping[str, str]
    ignored: tuple[str, ...]


def letters_of(name: str) -> str:
    """The name's letters in lower case, which is what names are compared by: `Adj Close*` is `adjclose`."""
    return re.sub(r"[^a-z]", "", name.lower()) or name.strip()


def is_known_name(name: str) -> bool:
    """Whether the name is one of a column of bars or details."""
    return letters_of(name) in KNOWN_NAMES


def recognize_columns(columns: Sequence[str], names: Mapping[str, Sequence[str]], source: str) -> RecognizedColumns:
    """Find each known column among a file's.

    Raises:
        TableFileError: Two columns have the same name but for case and punctuation.
    """
    by_letters: dict[str, list[str]] = {}
    for column in columns:
        by_letters.setdefault(letters_of(column), []).append(column)
    found: dict[str, str] = {}
    for known, usual in names.items():
        letters = next((one for one in usual if one in by_letters and one not in map(letters_of, found.values())), None)
        if letters is not None:
            found[known] = _only(known, by_letters[letters], source)
    return RecognizedColumns(found, tuple(column for column in columns if column not in found.values()))


def _only(known: str, columns: Sequence[str], source: str) -> str:
    if len(columns) > 1:
        listed = " and ".join(f"`{column}`" for column in columns)
        raise TableFileError(f"{source}: {listed} could both be the column {known}; rename or delete one of them")
    return columns[0]
