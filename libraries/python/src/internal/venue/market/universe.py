"""Who is listed on the simulated market: companies, their lifetimes, and the parameters that their prices follow."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from internal.venue.market.industries import INDUSTRIES, SECTORS, Industry
from internal.venue.market.listing import Listing

type FloatArray = npt.NDArray[np.float64]
type IntArray = npt.NDArray[np.int64]
type BoolArray = npt.NDArray[np.bool_]

LETTERS = np.array(list("BCDFGHJKLMNPQRSTVWXZ"))  # no vowels, so that no simulated ticker is a word
TICKER_LENGTH = 4
FIRST_SYLLABLES = ("Al", "Bor", "Cal", "Den", "Esk", "Fal", "Gren", "Hol", "Ister", "Jor", "Kel", "Lor", "Mar", "Nor")
LAST_SYLLABLES = ("dane", "field", "gate", "ham", "land", "mont", "more", "ridge", "stone", "ton", "vale", "wick")
SMALL_SHARE, NEW_SHARE, DELISTED_SHARE, PAYER_SHARE = 0.15, 0.08, 0.06, 0.45
NOT_SHORTABLE_BELOW, HARD_TO_BORROW_BELOW = 0.15, 0.35
GENERAL_COLLATERAL_RATE = 0.003  # a year, what brokers ask for names that are easy to borrow


@dataclass(frozen=True)
class Universe:
    """The simulated companies, one per array element, ordered by ticker.

    Units: `daily_volatility` of the idiosyncratic log return, `log_price` of US dollars on the first session,
    `log_volume` of shares a session, `dividend_yield` a year (0 for those that pay none), `dividend_phase` in sessions.
    `first` and `last` are session numbers: the ticker trades on first <= session < last.
    """

    listings: tuple[Listing, ...]
    sector: IntArray
    market_beta: FloatArray
    sector_beta: FloatArray
    daily_volatility: FloatArray
    log_price: FloatArray
    log_volume: FloatArray
    dividend_yield: FloatArray
    dividend_phase: IntArray
    first: IntArray
    last: IntArray


def draw_universe(seed: np.random.SeedSequence, ticker_count: int, sessions: list[date]) -> Universe:
    """Draw the companies; the same seed, count and sessions give the same universe in any process.

    About 15 % are small (median price 6, volume 300,000 shares), the rest trade around 60 dollars and 2.5 million
    shares; 8 % list and 6 % delist within the sessions; 45 % pay quarterly dividends.
    """
    random = np.random.default_rng(seed)
    small = random.random(ticker_count) < SMALL_SHARE
    numbers = cast("list[int]", random.integers(len(INDUSTRIES), size=ticker_count).tolist())
    industries = [INDUSTRIES[number] for number in numbers]
    first, last = _lifetimes(random, ticker_count, len(sessions))
    log_price = _choose(small, np.log(6.0), np.log(60.0)) + 0.75 * random.standard_normal(ticker_count)
    log_volume = _choose(small, np.log(3e5), np.log(2.5e6)) + 0.8 * random.standard_normal(ticker_count)
    annual_volatility = _choose(small, 0.45, 0.24) * np.exp(0.3 * random.standard_normal(ticker_count))
    pays = (random.random(ticker_count) < PAYER_SHARE) & ~small
    return Universe(
        listings=_listings(
            random, industries, _life(random, first, last, sessions), _borrow_terms(random, small), log_volume
        ),
        sector=np.array([SECTORS.index(industry.sector) for industry in industries], dtype=np.int64),
        market_beta=np.clip(1.0 + 0.3 * random.standard_normal(ticker_count), 0.3, 2.0),
        sector_beta=np.clip(1.0 + 0.3 * random.standard_normal(ticker_count), 0.2, 2.0),
        daily_volatility=np.clip(annual_volatility, 0.1, 1.0) / np.sqrt(252.0),
        log_price=log_price,
        log_volume=log_volume,
        dividend_yield=np.where(pays, random.uniform(0.008, 0.04, ticker_count), 0.0),
        dividend_phase=random.integers(63, size=ticker_count),
        first=first,
        last=last,
    )


def _choose(condition: BoolArray, where_true: float, where_false: float) -> FloatArray:
    return np.where(condition, where_true, where_false)


def _lifetimes(random: np.random.Generator, ticker_count: int, session_count: int) -> tuple[IntArray, IntArray]:
    """First session and the one after the last; a ticker that comes or goes does so at a uniformly drawn session."""
    chance = random.random(ticker_count)
    moment = random.integers(1, session_count, size=ticker_count)
    first = np.where(chance < NEW_SHARE, moment, 0)
    last = np.where(chance > 1.0 - DELISTED_SHARE, moment, session_count)
    return first, last


def _tickers(random: np.random.Generator, ticker_count: int) -> list[str]:
    """Distinct four-letter tickers, ordered."""
    codes = random.choice(len(LETTERS) ** TICKER_LENGTH, size=ticker_count, replace=False)
    places = len(LETTERS) ** np.arange(TICKER_LENGTH)
    return sorted("".join(row) for row in LETTERS[codes[:, None] // places % len(LETTERS)])


class _Terms(NamedTuple):
    """What a broker would say of one name."""

    shortable: bool
    easy_to_borrow: bool
    borrow_rate: float
    fractionable: bool


def _borrow_terms(random: np.random.Generator, small: BoolArray) -> list[_Terms]:
    """One draw decides the borrow: the lowest names cannot be shorted, the next are hard (2 to 30 % a year) to borrow.

    Small names are four times as often among the low draws.
    """
    draw = random.random(small.size) * np.where(small, 1.0, 4.0)
    easy = draw > HARD_TO_BORROW_BELOW
    rate = np.where(easy, GENERAL_COLLATERAL_RATE, random.uniform(0.02, 0.3, small.size)).round(4)
    fractionable = random.random(small.size) < np.where(small, 0.4, 0.97)
    columns = ((draw > NOT_SHORTABLE_BELOW).tolist(), easy.tolist(), rate.tolist(), fractionable.tolist())
    return [_Terms(*row) for row in zip(*columns, strict=True)]


def _life(
    random: np.random.Generator, first: IntArray, last: IntArray, sessions: list[date]
) -> list[tuple[date, date | None]]:
    """Listed and delisted dates; a company that was there from the start listed 300 to 12,000 days earlier."""
    age = random.integers(300, 12_000, size=first.size)
    before = np.datetime64(sessions[0]) - age.astype("timedelta64[D]")
    earlier = cast("list[date]", np.busday_offset(before, 0, roll="backward").tolist())
    starts, ends = cast("list[int]", first.tolist()), cast("list[int]", last.tolist())
    listed = [sessions[number] if number else day for number, day in zip(starts, earlier, strict=True)]
    delisted = [sessions[number] if number < len(sessions) else None for number in ends]
    return list(zip(listed, delisted, strict=True))


def _listings(
    random: np.random.Generator,
    industries: list[Industry],
    life: list[tuple[date, date | None]],
    terms: list[_Terms],
    log_volume: FloatArray,
) -> tuple[Listing, ...]:
    """Name the companies; about 120 sessions' volume is outstanding."""
    count = len(industries)
    tickers = _tickers(random, count)
    names = random.integers((len(FIRST_SYLLABLES), len(LAST_SYLLABLES)), size=(count, 2))
    exchanges = np.array(["XNAS", "XNYS"])[random.integers(2, size=count)].tolist()
    shares = np.exp(log_volume + np.log(120.0) + 0.5 * random.standard_normal(count)).astype(np.int64).tolist()
    return tuple(
        Listing(
            ticker=tickers[number],
            name=_company_name(names[number], industries[number].name),
            sector=industries[number].sector,
            industry=industries[number].name,
            sic_code=industries[number].sic_code,
            sic_description=industries[number].sic_description,
            primary_exchange=exchanges[number],
            listed_date=life[number][0],
            delisted_date=life[number][1],
            shortable=terms[number].shortable,
            easy_to_borrow=terms[number].easy_to_borrow,
            borrow_rate=terms[number].borrow_rate,
            fractionable=terms[number].fractionable,
            central_index_key=f"{9_000_000_000 + number}",  # above every key that the SEC has given out
            composite_figi=f"BBGSIM{number:05d}C",
            share_class_figi=f"BBGSIM{number:05d}S",
            shares_outstanding=shares[number],
        )
        for number in range(count)
    )


def _company_name(syllables: IntArray, industry: str) -> str:
    return f"{FIRST_SYLLABLES[syllables[0]]}{LAST_SYLLABLES[syllables[1]]} {industry} Inc."
