"""Makes the market that replays files of bars and, where given, of details."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from internal.bar_files.bars import BarsFile, read_bars
from internal.bar_files.details import read_details
from internal.bar_files.report import ReadReport
from internal.venue.market.replayed import NO_DETAILS, ReplayedMarket


@dataclass(frozen=True)
class Replay:
    """A replayed market, what was read for it, and the reports on its files, the bars' first."""

    market: ReplayedMarket
    bars: BarsFile
    reports: tuple[ReadReport, ...]


def load_replay(bars_file: Path, details_file: Path | None = None, opening_day: date | None = None) -> Replay:
    """The market that replays a file or folder of bars.

    Args:
        bars_file: What `read_bars` reads.
        details_file: What `read_details` reads; without it, tickers have no name, sector or industry.
        opening_day: See `ReplayedMarket`.

    Raises:
        TableFileError: A file that cannot be read or played, with row, column and what was expected.
        ConfigurationError: An opening day outside the file's sessions.
    """
    bars = read_bars(bars_file)
    details = None if details_file is None else read_details(details_file)
    market = ReplayedMarket(bars.bars, NO_DETAILS if details is None else details.details, opening_day)
    return Replay(market, bars, (bars.report, *([] if details is None else [details.report])))
