"""Alpaca as the vendor: how requests are cut, how rows are read, and which settings each vendor needs.

The adapter itself is tested on the exchange, in test_datamanager_exchange.py.
"""

from datetime import date
from math import ceil
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamanager.adapters.alpaca_chunks import PAGE_POINTS, cut_runs, cut_symbols
from datamanager.adapters.alpaca_frames import (
    make_actions_frame,
    make_bars_frame,
    make_listings_frame,
    take_effect_between,
)
from datamanager.adapters.files import FilesOnly
from datamanager.configuration import Configuration, MarketDataVendor
from datamanager.ports import ACTION_SCHEMA, LISTING_SCHEMA, RAW_BAR_SCHEMA
from internal.dates import sessions
from internal.errors import ConfigurationError

SYMBOLS = st.lists(st.text("ABCDEFGH.", min_size=1, max_size=8), max_size=3_000, unique=True)


class TestRequests:
    """How a request for many symbols and sessions is cut."""

    @given(symbols=SYMBOLS, session_count=st.integers(1, 300))
    def test_symbols(self, symbols: list[str], session_count: int) -> None:
        """Each symbol is asked for once, in order; the encoded list of each request stays below 6,000 characters."""
        chunks = cut_symbols(symbols, session_count)

        assert [symbol for chunk in chunks for symbol in chunk] == symbols
        assert all(len(quote(",".join(chunk), safe="")) <= 6_000 for chunk in chunks)

    def test_full_pages(self) -> None:
        """5,000 names over 20 batches of 25 sessions: 1.25 million bars of 10,000 a page in 260 requests."""
        symbols = [f"{number:05d}"[:4] for number in range(5_000)]
        pages = sum(ceil(len(chunk) * 25 / PAGE_POINTS) for chunk in cut_symbols(symbols, 25))

        assert pages * 20 == 260

    def test_runs(self) -> None:
        """Sessions over a weekend and a holiday are one range; a session that is not asked for ends it."""
        days = sessions(date(2024, 12, 23), date(2025, 1, 3))

        assert cut_runs(days) == [days]
        assert cut_runs([days[0], *days[2:]]) == [[days[0]], days[2:]]


class TestRows:
    """How rows are read."""

    def test_bars(self) -> None:
        """Numbers in their shortest exact form, the day in New York; what is missing is null."""
        bar = {"t": "2024-07-01T04:00:00Z", "o": 0.1, "h": 0.30000000000000004, "l": 0.1, "c": 2, "v": 7, "n": 3}
        winter = bar | {"t": "2024-12-31T05:00:00Z", "vw": 1.5}
        frame = make_bars_frame({"AA": [bar, winter], "BB": [bar | {"t": "soon"}], "CC": []})

        assert frame.schema == RAW_BAR_SCHEMA
        assert frame.rows() == [
            ("AA", "2024-07-01", "0.1", "0.30000000000000004", "0.1", "2", "7", None, "3"),
            ("AA", "2024-12-31", "0.1", "0.30000000000000004", "0.1", "2", "7", "1.5", "3"),
            ("BB", "soon", "0.1", "0.30000000000000004", "0.1", "2", "7", None, "3"),
        ]

    def test_listings(self) -> None:
        """What trades over the counter is left out; the active listing of a ticker wins; what is unknown is null."""
        assets = [
            {"symbol": "BBB", "name": "", "exchange": "ARCA", "status": "inactive"},
            {"symbol": "AAA", "name": "Old", "exchange": "NASDAQ", "status": "inactive"},
            {"symbol": "AAA", "name": "New", "exchange": "NYSE", "status": "active"},
            {"symbol": "OTCX", "name": "Counter", "exchange": "OTC", "status": "active"},
        ]
        frame = make_listings_frame(assets)

        assert frame.schema == LISTING_SCHEMA
        assert frame.select("ticker", "name", "primary_exchange", "active").rows() == [
            ("AAA", "New", "XNYS", True),
            ("BBB", None, "ARCX", False),
        ]
        assert frame.get_column("security_type").null_count() == 2

    def test_actions(self) -> None:
        """Rows of the vendor's pages, each by hand: ticker, day, shares, other ticker, cash."""
        frame = make_actions_frame(
            {
                "forward_splits": [
                    {"id": "1", "symbol": "NVDX", "new_rate": 10, "old_rate": 1, "ex_date": "2024-07-16"}
                    | {"process_date": "2024-07-16", "record_date": "2024-07-15"}
                ],
                "stock_dividends": [{"id": "2", "symbol": "SD", "rate": 0.05, "ex_date": "2024-05-01"}],
                "cash_dividends": [
                    {"id": "3", "symbol": "KKR", "rate": 0.145, "special": True, "foreign": False}
                    | {"ex_date": "2021-11-12", "process_date": "2021-11-30", "payable_date": "2021-11-30"}
                ],
                "stock_and_cash_mergers": [
                    {"id": "4", "acquirer_symbol": "BIG", "acquirer_rate": 0.5, "acquiree_symbol": "SMALL"}
                    | {"acquiree_rate": 1, "cash_rate": 12.5, "effective_date": "2024-02-01"}
                ],
                "name_changes": [
                    {"id": "5", "old_symbol": "FB", "new_symbol": "META", "process_date": "2022-06-09"},
                ],
                "novelties": [{"id": "6", "symbol": "XX", "process_date": "2024-01-02"}],
            }
        )
        columns = ["kind", "ticker", "effective_date", "old_shares", "new_shares", "new_ticker", "cash_amount"]

        assert frame.schema == ACTION_SCHEMA
        assert frame.select(columns).rows() == [
            ("forward_split", "NVDX", date(2024, 7, 16), 1.0, 10.0, None, None),
            ("stock_dividend", "SD", date(2024, 5, 1), 1.0, 0.05, None, None),
            ("cash_dividend", "KKR", date(2021, 11, 12), None, None, None, 0.145),
            ("stock_and_cash_merger", "SMALL", date(2024, 2, 1), 1.0, 0.5, "BIG", 12.5),
            ("name_change", "FB", date(2022, 6, 9), None, None, "META", None),
            ("noveltie", "XX", date(2024, 1, 2), None, None, None, None),
        ]
        assert frame.item(2, "pay_date") == date(2021, 11, 30)
        assert frame.get_column("special").to_list() == [None, None, True, None, None, None]
        assert set(frame.get_column("source")) == {"alpaca"}

    def test_days(self) -> None:
        """Actions of other days are left out; one without a day is kept, so that it is quarantined and seen."""
        rows = [{"id": str(day), "symbol": "A", "ex_date": f"2024-05-0{day}", "rate": 1} for day in (1, 2, 3)]
        frame = make_actions_frame({"cash_dividends": [*rows, {"id": "none", "symbol": "A", "rate": 1}]})

        kept = take_effect_between(frame, date(2024, 5, 2), date(2024, 5, 2))
        assert kept.get_column("action_id").to_list() == ["2", "none"]


class TestSettings:
    """`MARKET_DATA_VENDOR` and `SECOND_MARKET_DATA_VENDOR`."""

    def settings(self, folder: Path, **values: str) -> Configuration:
        """A datamanager's settings without an environment."""
        return Configuration.model_validate({"data_bucket": str(folder), "state_directory": str(folder)} | values)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({}, "POLYGON_API_KEY is not set, and MARKET_DATA_VENDOR is polygon"),
            (
                {"market_data_vendor": "alpaca"},
                "ALPACA_API_KEY_ID and ALPACA_API_SECRET are not set, and MARKET_DATA_VENDOR is alpaca",
            ),
            (
                {"market_data_vendor": "alpaca", "alpaca_api_key_id": "PK"},
                "ALPACA_API_SECRET is not set, and MARKET_DATA_VENDOR is alpaca",
            ),
            (
                {"market_data_vendor": "files", "second_market_data_vendor": "polygon"},
                "POLYGON_API_KEY is not set, and SECOND_MARKET_DATA_VENDOR is polygon",
            ),
            (
                {"market_data_vendor": "files", "second_market_data_vendor": "files"},
                "name a vendor other than MARKET_DATA_VENDOR",
            ),
            ({"market_data_vendor": "bloomberg"}, "Input should be 'polygon', 'alpaca' or 'files'"),
        ],
    )
    def test_missing(self, tmp_path: Path, values: dict[str, str], sentence: str) -> None:
        """The error names the key that the chosen vendor needs, and the setting that chose it."""
        with pytest.raises(ConfigurationError, match=sentence):
            self.settings(tmp_path, **values)

    def test_files_need_no_key(self, tmp_path: Path) -> None:
        """A fund on its own files needs no account."""
        assert self.settings(tmp_path, market_data_vendor="files").market_data_vendor is MarketDataVendor.FILES

    def test_trading_address(self, tmp_path: Path) -> None:
        """The broker's address is taken with and without the version that alpaca-py adds."""
        key = {"market_data_vendor": "files", "alpaca_base_url": "https://api.alpaca.markets/v2/"}
        assert self.settings(tmp_path, **key).alpaca_base_url == "https://api.alpaca.markets"

    def test_nobody_is_asked(self) -> None:
        """Without a vendor each session is missing, and the reason says what to do."""
        days = [date(2024, 5, 2), date(2024, 5, 3)]
        answers = FilesOnly().daily_bars(days, lambda: None)

        assert [answer.date for answer in answers] == days
        assert all(answer.rows is None and "fund data import" in (answer.missing or "") for answer in answers)


def test_frames_are_empty_without_rows() -> None:
    """No answer has every column."""
    assert make_bars_frame({}).schema == RAW_BAR_SCHEMA
    assert make_actions_frame({}).schema == ACTION_SCHEMA
    assert make_listings_frame([]).equals(pl.DataFrame(schema=LISTING_SCHEMA))
