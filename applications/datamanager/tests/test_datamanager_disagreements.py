"""Two vendors compared: which figures disagree, worked out by hand, and what is stored of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import polars as pl
import pytest

from datamanager.adapters.files import FilesOnly
from datamanager.cross_check import CrossCheck
from datamanager.disagreements import compare_actions, compare_bars, count_by_field, describe
from datamanager.ports import ACTION_SCHEMA, RAW_BAR_SCHEMA, VendorSession
from internal.action_kinds import ActionKind
from internal.dates import session_close
from internal.errors import ConfigurationError
from internal.lake.store import Lake
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS
from internal.schemas import disagreements, equity_bars
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS

DAY, NEXT = date(2024, 5, 2), date(2024, 5, 3)


def bars(*rows: tuple[str, float, float], day: date = DAY) -> pl.DataFrame:
    """Bars of one session: ticker, close, volume; the other prices are the close."""
    moment = session_close(day)
    records = [(ticker, day, moment, close, close, close, close, volume, None, None) for ticker, close, volume in rows]
    return pl.DataFrame(records, schema=equity_bars.COLUMNS, orient="row")


def action(ticker: str, kind: ActionKind, day: date = DAY, **terms: float) -> Mapping[str, object]:
    """One corporate action."""
    return {"action_id": f"{kind}{ticker}{terms}", "kind": kind.value, "ticker": ticker, "effective_date": day} | terms


def actions(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Corporate actions with every column."""
    return pl.DataFrame(list(rows), schema=CORPORATE_ACTIONS_COLUMNS)


class TestComparison:
    """What disagrees."""

    def test_prices(self) -> None:
        """Half a percent or a cent agrees, whichever is larger; a little more does not."""
        ours = bars(("A", 100.0, 1e6), ("B", 100.0, 1e6), ("C", 0.5, 1e6), ("D", 0.5, 1e6))
        theirs = bars(("A", 100.5, 1e6), ("B", 100.51, 1e6), ("C", 0.51, 1e6), ("D", 0.512, 1e6))
        found = compare_bars(ours, theirs)

        assert set(found.get_column("ticker")) == {"B", "D"}
        assert set(found.get_column("field")) == {"open", "high", "low", "close"}
        assert found.filter(ticker="B", field="close").select("value", "second_value").row(0) == (100.0, 100.51)
        assert found.filter(ticker="B", field="close").item(0, "difference") == pytest.approx(0.0051)

    def test_volume(self) -> None:
        """Five percent more volume agrees, six do not."""
        ours = bars(("A", 10.0, 100_000.0), ("B", 10.0, 100_000.0))
        found = compare_bars(ours, bars(("A", 10.0, 105_000.0), ("B", 10.0, 106_000.0)))

        assert found.select("ticker", "field", "value", "second_value").rows() == [("B", "volume", 1e5, 1.06e5)]

    def test_missing(self) -> None:
        """A bar on one side alone, whichever; symbols that vendors spell differently are left out."""
        found = compare_bars(
            bars(("A", 10.0, 1.0), ("ONE", 11.0, 1.0), ("BACpL", 5.0, 1.0)),
            bars(("A", 10.0, 1.0), ("TWO", 12.0, 1.0), ("BAC.PRL", 5.0, 1.0)),
        )

        assert found.select("ticker", "field", "value", "second_value").rows() == [
            ("ONE", "bar", 11.0, None),
            ("TWO", "bar", None, 12.0),
        ]

    def test_splits(self) -> None:
        """2 for 1 and 4 for 2 agree; another ratio and a split on one side alone do not."""
        forward, reverse = ActionKind.FORWARD_SPLIT, ActionKind.REVERSE_SPLIT
        ours = actions(
            action("A", forward, old_shares=1.0, new_shares=2.0),
            action("B", reverse, old_shares=3.0, new_shares=1.0),
            action("C", reverse, old_shares=10.0, new_shares=1.0),
        )
        theirs = actions(
            action("A", forward, old_shares=2.0, new_shares=4.0),
            action("B", reverse, old_shares=1.0, new_shares=0.3333),
            action("D", forward, old_shares=1.0, new_shares=3.0),
        )
        found = compare_actions(ours, theirs)

        assert found.select("ticker", "field", "value", "second_value").rows() == [
            ("C", "split", 0.1, None),
            ("D", "split", None, 3.0),
        ]

    def test_dividends(self) -> None:
        """A regular and a special payment of one day equal one payment of both; another amount does not."""
        cash = ActionKind.CASH_DIVIDEND
        ours = actions(
            action("A", cash, cash_amount=0.5), action("A", cash, cash_amount=1.0), action("B", cash, cash_amount=2.0)
        )
        theirs = actions(action("A", cash, cash_amount=1.5), action("B", cash, cash_amount=2.5))
        found = compare_actions(ours, theirs)

        assert found.select("ticker", "field", "value", "second_value").rows() == [("B", "dividend", 2.0, 2.5)]

    def test_sentences(self) -> None:
        """What one vendor lacks comes first; counts name every field."""
        found = compare_bars(bars(("A", 10.0, 1.0), ("B", 10.0, 1.0)), bars(("B", 12.0, 1.0)))
        named = found.with_columns(pl.lit("polygon").alias("vendor"), pl.lit("alpaca").alias("second_vendor"))

        assert describe(named, 1) == ["A on 2024-05-02, bar: polygon has 10, alpaca has none"]
        assert count_by_field(found) == dict.fromkeys(count_by_field(found), 0) | {
            "bar": 1,
            "open": 1,
            "high": 1,
            "low": 1,
            "close": 1,
        }


@dataclass
class SecondVendor(FilesOnly):
    """A vendor of a few bars."""

    source = "second"
    rows: dict[date, pl.DataFrame] = field(default_factory=dict)
    moment: datetime = datetime(2024, 5, 4, tzinfo=UTC)
    stated: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ACTION_SCHEMA))

    def now(self) -> datetime:
        """Its clock."""
        return self.moment

    def daily_bars(self, sessions: Sequence[date], on_session: Callable[[], object]) -> Sequence[VendorSession]:
        """The bars that it has; a session without any is missing."""
        for _ in sessions:
            on_session()
        return [
            VendorSession(day, _raw(self.rows[day])) if day in self.rows else VendorSession(day, None, "not yet")
            for day in sessions
        ]

    def corporate_actions(self, start: date, end: date) -> pl.DataFrame:
        """What it states."""
        return self.stated.filter(pl.col("effective_date").is_between(start, end))


def _raw(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(pl.String) for name in RAW_BAR_SCHEMA.names())


@pytest.fixture
def collected(lake: Lake) -> Lake:
    """A lake with two sessions of one ticker."""
    lake.append("equity_bars", pl.concat([bars(("A", 10.0, 1e6)), bars(("A", 11.0, 1e6), day=NEXT)]))
    log = [(day, "collected", 1, 0, "", datetime(2024, 5, 4, tzinfo=UTC)) for day in (DAY, NEXT)]
    lake.append("ingestion_sessions", pl.DataFrame(log, schema=INGESTION_SESSIONS_COLUMNS, orient="row"))
    return lake


class TestCheck:
    """What a comparison stores."""

    def test_stores_both_values(self, collected: Lake) -> None:
        """The bars stay; the table has both vendors' values; a corrected figure is gone after the next comparison."""
        second = SecondVendor(rows={DAY: bars(("A", 10.0, 1e6)), NEXT: bars(("A", 11.0, 2e6), day=NEXT)})
        check = CrossCheck(collected, "polygon", second, None)
        before = collected.version("equity_bars")
        result = asyncio.run(check.check([DAY, NEXT]))
        stored = collected.scan("disagreements").collect()
        second.rows[NEXT] = bars(("A", 11.0, 1e6), day=NEXT)
        asyncio.run(check.check([DAY, NEXT]))

        assert result.compared == [DAY, NEXT]
        assert stored.select("date", "ticker", "field", "vendor", "value", "second_vendor", "second_value").rows() == [
            (NEXT, "A", "volume", "polygon", 1e6, "second", 2e6)
        ]
        assert collected.scan("disagreements").collect().equals(disagreements.empty())
        assert collected.version("equity_bars") == before

    def test_missing_session(self, collected: Lake) -> None:
        """A session that the second vendor lacks is no disagreement, and what was found of it before stays."""
        second = SecondVendor(rows={DAY: bars(("A", 9.0, 1e6)), NEXT: bars(("A", 9.0, 1e6), day=NEXT)})
        check = CrossCheck(collected, "polygon", second, None)
        asyncio.run(check.check([DAY, NEXT]))
        del second.rows[DAY]
        result = asyncio.run(check.check([DAY, NEXT]))
        kept = collected.scan("disagreements").collect()

        assert (result.compared, result.missing) == ([NEXT], {DAY: "not yet"})
        assert set(kept.get_column("date")) == {DAY, NEXT}

    def test_session_that_is_too_young(self, collected: Lake) -> None:
        """The second vendor is not asked for what has not closed on its own clock; the next comparison does."""
        rows = {DAY: bars(("A", 10.0, 1e6)), NEXT: bars(("A", 9.0, 1e6), day=NEXT)}
        second = SecondVendor(rows=rows, moment=session_close(DAY))
        check = CrossCheck(collected, "polygon", second, None)
        result = asyncio.run(check.check([DAY, NEXT]))
        second.moment = session_close(NEXT)
        later = asyncio.run(check.check([DAY, NEXT]))

        assert (result.compared, list(result.missing)) == ([DAY], [NEXT])
        assert "second has data up to 2024-05-02 20:00:00+00:00" in result.missing[NEXT]
        assert (later.compared, later.missing) == ([DAY, NEXT], {})

    def test_session_that_was_not_collected(self, collected: Lake) -> None:
        """Only what the lake holds is compared."""
        result = asyncio.run(CrossCheck(collected, "polygon", SecondVendor(), None).check([date(2024, 5, 6)]))

        assert (result.compared, result.missing) == ([], {})

    def test_bounded_in_the_background(self, collected: Lake) -> None:
        """After a collection the latest sessions are compared, as many as the vendor's rate allows."""
        second = SecondVendor(rows={DAY: bars(("A", 9.0, 1e6)), NEXT: bars(("A", 9.0, 1e6), day=NEXT)})

        async def collect_and_wait() -> None:
            check = CrossCheck(collected, "polygon", second, 1)
            check.start([DAY, NEXT])
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
            await check.close()

        asyncio.run(collect_and_wait())
        assert set(collected.scan("disagreements").collect().get_column("date")) == {NEXT}

    def test_without_second_vendor(self, lake: Lake) -> None:
        """Asked by hand, the error names the setting; after a collection nothing happens."""
        check = CrossCheck(lake, "polygon", None, 0)
        check.start([DAY])

        with pytest.raises(ConfigurationError, match="SECOND_MARKET_DATA_VENDOR"):
            asyncio.run(check.check([DAY]))
