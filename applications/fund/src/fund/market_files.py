"""Reads the files of a replayed market before anything starts: shows what was understood, decides where it can open."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from fund.display import Display
from fund.market_settings import MarketSettings
from internal.bar_files.bars import read_bars
from internal.bar_files.details import read_details
from internal.bar_files.report import ReadReport
from internal.dates import sessions
from internal.errors import ConfigurationError
from internal.venue.market.replayed import default_opening

SESSIONS_TO_TRAIN: Final = 183  # up to the opening: what `models.folds` needs, and 62 sessions before its first origin


def prepare_market(market: MarketSettings, display: Display, last_session: date | None = None) -> MarketSettings:
    """The market, opening where its bars allow; a simulated one, or one that has opened before, is as it was.

    Args:
        market: What the options name.
        display: Shows the reports on the files.
        last_session: The last session that is to be traded, where that is known.

    Raises:
        TableFileError: A file cannot be used.
        ConfigurationError: The bars are too few, or do not hold the period; the message names the option.
    """
    if market.bars is None:
        return market
    report = read_bars(Path(market.bars)).report
    display.show_report(report)
    if market.details is not None:
        display.show_report(read_details(Path(market.details)).report)
    if market.session is not None:
        return market
    start = None if market.start is None else date.fromisoformat(market.start)
    opening = choose_opening(report, start, last_session)
    return replace(market, start=None if opening is None else opening.isoformat())


def choose_opening(report: ReadReport, start: date | None, last_session: date | None) -> date | None:
    """The session at whose close a fund on the file opens; None leaves it to the market's default."""
    first, last = report.first_session, report.last_session
    days = [] if first is None or last is None else sessions(first, last)
    if len(days) <= SESSIONS_TO_TRAIN:
        raise ConfigurationError(
            f"{report.name} spans {len(days)} sessions. A model needs {SESSIONS_TO_TRAIN} before the first one that is "
            f"traded: give a file of {SESSIONS_TO_TRAIN + 1} sessions or more"
        )
    earliest = days[SESSIONS_TO_TRAIN - 1]
    if start is None:
        return None if default_opening(days) >= earliest else earliest
    if start < earliest:
        raise ConfigurationError(
            f"{report.name} begins at {days[0]}, and a model needs {SESSIONS_TO_TRAIN} sessions before the first one "
            f"that is traded: choose --first-day {days[SESSIONS_TO_TRAIN]} or later, or a file that begins earlier"
        )
    if last_session is not None and last_session > days[-1]:
        raise ConfigurationError(
            f"{report.name} ends at {days[-1]}, before {last_session}: choose --last-day {days[-1]} or earlier, or a "
            "longer file"
        )
    return start
