"""Messages to the owner: sent by apprise to a real HTTP target, once a key, in order, again until it takes them."""

import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, override

import pytest

from applications.portfoliomanager.tests.operations_kit import STRATEGY, Messages, open_operations
from internal.cloud_events.worker import LONGEST_WAIT_SECONDS
from internal.errors import ConfigurationError, FundError, UnavailableError
from internal.lake.store import Lake
from internal.modes import Mode
from internal.simulation.venue_activities import VenueActivities
from internal.simulation.world import World
from internal.trading.action_rows import RECORDS as ACTIONS
from internal.trading.broker_reports import Account
from internal.trading.enums import ForeignKind, Leg, OrderSide, OrderState
from internal.trading.foreign_items import ForeignItem
from internal.trading.limit_kinds import LimitCut, LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.trading.trading_state import StateCause, TradingState
from internal.venue.clock import Auction
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.lake_activities import LakeActivities
from portfoliomanager.loss_watch import LossWatch
from portfoliomanager.notifications.alerts import (
    alert_of_missed_sessions,
    alerts_of_ended,
    alerts_of_foreign,
    alerts_of_run,
)
from portfoliomanager.notifications.announcer import PROFITS
from portfoliomanager.notifications.daily_report import find_gains
from portfoliomanager.notifications.message import Notification, NotificationKind
from portfoliomanager.notifications.outbox import NotificationOutbox
from portfoliomanager.notifications.report_figures import ReportFigures
from portfoliomanager.notifications.targets import read_targets

PASSWORD = "a-word-nobody-may-read"  # noqa: S105 - of the test alone


class Owner:
    """Where messages arrive: a real HTTP server, which refuses them while `refuses`."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.refuses = False
        self.attempts = 0
        self.arrived = threading.Condition()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with owner.arrived:
                    owner.attempts += 1
                    if not owner.refuses:
                        owner.received.append(body)
                    self.send_response(503 if owner.refuses else 200)
                    self.end_headers()
                    owner.arrived.notify_all()

            @override
            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The target, as a setting names it."""
        return f"json://owner:{PASSWORD}@127.0.0.1:{self.server.server_address[1]}/"

    async def wait_for(self, count: int, *, attempts: int = 0) -> None:
        """Return when so many messages have arrived, and so many were tried."""

        def wait() -> bool:
            with self.arrived:
                return self.arrived.wait_for(
                    lambda: len(self.received) >= count and self.attempts >= attempts, 3 * LONGEST_WAIT_SECONDS
                )

        assert await asyncio.to_thread(wait)


@pytest.fixture
def owner() -> Iterator[Owner]:
    """A running target."""
    found = Owner()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def message(number: int) -> Notification:
    """A message of its own."""
    return Notification(NotificationKind.ALERT, f"alert:{number}", f"Number {number}", f"Text {number}")


def test_messages_arrive_once_in_order_and_survive(
    owner: Owner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Three keys, one twice; the target refuses at first; the rest goes out after a restart; no secret is shown."""

    async def refused() -> None:
        async with NotificationOutbox(tmp_path, read_targets(f"# mine\n{owner.url}\n"), Mode.PAPER) as outbox:
            assert [await asyncio.to_thread(outbox.notify, message(one)) for one in (1, 2, 1)] == [True, True, False]
            await owner.wait_for(0, attempts=2)

    async def taken() -> None:
        async with NotificationOutbox(tmp_path, read_targets(owner.url), Mode.PAPER) as outbox:
            assert not await asyncio.to_thread(outbox.notify, message(2))
            await asyncio.to_thread(outbox.notify, message(3))
            await owner.wait_for(3)
            while {entry.state for entry in await outbox.recent()} != {"delivered"}:  # noqa: ASYNC110 - rows of a file
                await asyncio.sleep(0.02)
            assert [entry.title for entry in await outbox.recent()] == [message(number).title for number in (3, 2, 1)]
            tested = await outbox.send_test()
            assert list(tested.values()) == [True]
            assert all(name.startswith("json-") for name in tested)
            owner.refuses = True
            assert list((await outbox.send_test()).values()) == [False]

    owner.refuses = True
    asyncio.run(refused())  # returns when an attempt that is on its way has ended
    owner.refuses = False
    asyncio.run(taken())
    titles = [one["title"] for one in owner.received]
    assert titles == ["[PAPER] Number 1", "[PAPER] Number 2", "[PAPER] Number 3", "[PAPER] Test message"]
    assert owner.received[0]["message"] == "Text 1"
    captured = capfd.readouterr()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert PASSWORD not in captured.out + captured.err
    assert PASSWORD.encode() not in files


def test_the_last_report_is_kept(tmp_path: Path) -> None:
    """The newest daily report can be read again, also after a restart; other messages are none."""

    async def run() -> list[Notification | None]:
        found: list[Notification | None] = []
        for day in ("2026-11-25", "2026-11-27"):
            async with NotificationOutbox(tmp_path, [], Mode.PAPER) as outbox:
                found.append(await outbox.last_report())
                report = Notification(NotificationKind.DAILY_REPORT, f"report:{day}:decided", day, f"text of {day}")
                outbox.notify(report)
                outbox.notify(message(1))
                found.append(await outbox.last_report())
        return found

    found = asyncio.run(run())
    assert [None if one is None else one.text for one in found] == [
        None,
        "text of 2026-11-25",
        "text of 2026-11-25",
        "text of 2026-11-27",
    ]


def test_a_wrong_address_names_its_line() -> None:
    """The line is named, what it holds is not."""
    with pytest.raises(ConfigurationError, match="line 3 is no address") as refused:
        read_targets(f"# mine\nntfy://topic\nnowhere://{PASSWORD}\n")
    assert PASSWORD not in refused.value.detail
    assert [target.name.partition("-")[0] for target in read_targets("ntfy://topic\n\ntgram://123:abc/456")] == [
        "ntfy",
        "tgram",
    ]


def test_daily_reports_add_up(tmp_path: Path) -> None:
    """Over three sessions: each report's gain is the change of value, its gains by name sum to it, fills are named."""
    fund, messages = World.make(11, sessions_played=3, tickers=30).open_fund(), Messages()
    operations, values = open_operations(fund, messages, tmp_path), list[float]()
    for _ in range(3):
        operations.rebalance(None)
        operations.rebalance(None)
        last = fund.journal.last_snapshot()
        assert last is not None
        values.append(last.net_asset_value)
        fund.move(Auction.OPEN)
        operations.reconcile()
        fund.move(Auction.CLOSE)
    reports = messages.of(NotificationKind.DAILY_REPORT)
    assert len(reports) == 3
    for report, before, now in zip(reports[1:], values, values[1:], strict=False):
        assert f"{now:,.2f} dollars, {now - before:+,.2f}" in report.title
        sides = next(line for line in report.text.splitlines() if line.startswith("Gained by side: "))
        gained = [
            float(part.split()[-1].replace(",", "")) for part in sides.removeprefix("Gained by side: ").split(", ")
        ]
        assert sum(gained) == pytest.approx(now - before, abs=0.011 * len(gained))
        assert "Fills:" in report.text
        assert "Orders for the next open:" in report.text
        assert "there is no data service" in report.text
        assert "<table" in report.html
        assert max(map(len, report.text.split("\n\n", 1)[1].splitlines())) < 200
        figures = ReportFigures.model_validate(report.figures)
        assert (figures.value, figures.gain) == (pytest.approx(now), pytest.approx(now - before))
        assert sum(one.dollars for one in figures.gains_by_name) == pytest.approx(now - before, abs=0.01)
        assert figures.data.problem == "there is no data service"
    fills = [order for order in fund.journal.orders() if order.filled_quantity]
    assert all(order.ticker in reports[1].text for order in fills if order.date == fund.journal.runs()[0].date)


def test_a_restored_fund_does_not_repeat_its_last_report(tmp_path: Path) -> None:
    """Its messages are not in a backup, the figures of its last report are: what came before is reported no more."""
    fund, messages = World.make(11, sessions_played=2, tickers=30).open_fund(), Messages()
    open_operations(fund, messages, tmp_path / "old").rebalance(None)
    (tmp_path / "new").mkdir()
    shutil.copy(tmp_path / "old" / PROFITS, tmp_path / "new")
    restored = Messages()
    operations = open_operations(fund, restored, tmp_path / "new")
    operations.rebalance(None)
    assert restored.of(NotificationKind.DAILY_REPORT) == []
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)
    operations.rebalance(None)
    (report,) = restored.of(NotificationKind.DAILY_REPORT)
    assert str(fund.journal.runs()[-1].date) in report.title


def test_a_failure_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspended account at once; a service that does not answer when it has failed three times."""
    fund, messages = World.make(11, sessions_played=2, tickers=30).open_fund(), Messages()
    operations = open_operations(fund, messages, tmp_path)
    operations.rebalance(None)
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)
    account = fund.ports.broker.account()

    def suspended(_: object) -> Account:
        return replace(account, halted="trading is suspended")

    with monkeypatch.context() as patch:
        patch.setattr(type(fund.ports.broker), "account", suspended)
        for _ in range(2):
            with pytest.raises(FundError):
                operations.rebalance(None)
    (failure,) = messages.of(NotificationKind.RUN_FAILED)
    assert "trading is suspended" in failure.text
    assert "Nothing was decided: trading is suspended" in messages.of(NotificationKind.DAILY_REPORT)[-1].text
    with monkeypatch.context() as patch:
        patch.setattr(type(fund.ports.broker), "positions", _unavailable)
        for times in range(1, 5):
            with pytest.raises(UnavailableError):
                operations.rebalance(None)
            assert len(messages.of(NotificationKind.RUN_FAILED)) == (1 if times < 3 else 2)


def test_the_books_are_recorded_once_where_no_order_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reconciliation records them before it checks the losses; again only while an order may have filled since."""
    fund, record, calls = World.make(11, sessions_played=2, tickers=30).open_fund(), AccountBooks.record, list[str]()

    def count(books: AccountBooks) -> None:
        calls.append("record")
        record(books)

    monkeypatch.setattr(AccountBooks, "record", count)
    operations = open_operations(fund, Messages(), tmp_path)
    operations.reconcile()
    assert len(calls) == 1
    operations.rebalance(None)
    assert len(calls) == 3


def test_losses_reduce_then_halt_and_a_person_accepts_them(tmp_path: Path) -> None:
    """A limit that any day exceeds: the fund is reduced before it decides; resumed, earlier losses no longer count.

    Another process than the one that trades answers the owner, and more is lost before the next value is recorded.
    """
    fund, messages = World.make(11, sessions_played=9, tickers=30).open_fund(), Messages()
    limits = RiskLimits(daily_loss=1e-6, drawdown_reduce=0.5, drawdown_halt=0.6)
    operations = open_operations(fund, messages, tmp_path, limits)
    for _ in range(4):
        operations.rebalance(None)
        fund.move(Auction.OPEN)
        operations.reconcile()
        if fund.journal.trading_state().state is TradingState.REDUCE_ONLY:
            break
        fund.move(Auction.CLOSE)
    change, (sent,) = fund.journal.trading_state(), messages.of(NotificationKind.LIMIT)
    assert (change.state, change.cause) == (TradingState.REDUCE_ONLY, StateCause.LIMIT)
    assert change.reason in sent.title
    fund.move(Auction.CLOSE)
    assert all(order.leg is Leg.CLOSE for order in operations.rebalance(None).orders)
    standby = open_operations(fund, messages, tmp_path / "standby", limits)
    standby.change_state(TradingState.ACTIVE, "the owner", "seen")
    (resumed,) = messages.of(NotificationKind.TRADING_STATE)
    assert "by the owner (owner): seen" in resumed.text
    strict = replace(limits, drawdown_halt=1e-7, drawdown_reduce=1e-8)
    fresh = open_operations(fund, messages, tmp_path / "another", strict)
    for auction in (None, Auction.OPEN):
        if auction is not None:
            fund.move(auction)
        fresh.reconcile()
        assert fund.journal.trading_state().state is TradingState.ACTIVE
    for auction in (Auction.CLOSE, Auction.OPEN, Auction.CLOSE):
        if fund.journal.trading_state().state is TradingState.ACTIVE:
            fund.move(auction)
            fresh.reconcile()
    assert fund.journal.trading_state().state is TradingState.HALTED
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)
    with pytest.raises(FundError, match="halted"):
        fresh.rebalance(None)
    assert messages.of(NotificationKind.RUN_FAILED) == []  # the halt itself was the message
    assert "Nothing was decided: " in messages.of(NotificationKind.DAILY_REPORT)[-1].text
    fresh.reconcile()
    fresh.change_state(TradingState.REDUCE_ONLY, "the owner", "let it close")
    fresh.reconcile()
    assert fund.journal.trading_state().state is TradingState.REDUCE_ONLY
    assert all(order.leg is Leg.CLOSE for order in fresh.rebalance(None).orders)


def test_resuming_active_trading_accepts_no_losses(tmp_path: Path) -> None:
    """It changes nothing: the losses of the day are counted as before, and the owner gets no message."""
    fund, messages = World.make(11, sessions_played=2, tickers=30).open_fund(), Messages()
    operations = open_operations(fund, messages, tmp_path)
    operations.rebalance(None)
    operations.change_state(TradingState.HALTED, "the owner", "look at it")
    resumed = operations.change_state(TradingState.ACTIVE, "the owner", "seen")
    assert resumed.losses_accepted_until is not None
    fund.move(Auction.OPEN)
    operations.reconcile()
    assert operations.change_state(TradingState.ACTIVE, "the owner", "again") == resumed
    assert fund.journal.trading_state() == resumed
    assert [one.text.count("again") for one in messages.of(NotificationKind.TRADING_STATE)] == [0, 0]


def test_losses_count_after_the_clock_went_back_and_after_everything_was_lost(tmp_path: Path) -> None:
    """An acceptance of the future is ignored; a fund that lost all and is resumed starts again."""
    fund, messages = World.make(11, sessions_played=2, tickers=30).open_fund(), Messages()
    operations = open_operations(fund, messages, tmp_path)
    operations.rebalance(None)
    last = fund.journal.last_snapshot()
    assert last is not None
    lost, paid_in = (replace(last, timestamp=last.timestamp - timedelta(days=days)) for days in (2, 1))
    fund.journal.save_snapshot(replace(lost, timestamp=lost.timestamp - timedelta(days=1)))
    fund.journal.save_snapshot(replace(lost, net_asset_value=-1.0))
    fund.journal.save_snapshot(paid_in)
    change = fund.journal.trading_state()
    fund.journal.save_trading_state(replace(change, number=1, losses_accepted_until=paid_in.timestamp))
    operations.reconcile()
    assert fund.journal.trading_state().state is TradingState.ACTIVE
    future = last.timestamp + timedelta(days=400)
    fund.journal.save_trading_state(replace(change, number=2, losses_accepted_until=future))
    operations.reconcile()
    assert fund.journal.trading_state().state is TradingState.HALTED


def test_losses_of_the_day_do_not_wait_for_a_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an open session 4 % down is within the limit of 5 %, 6 % reduces at once and 30 % halts; then nothing more."""
    fund, messages = World.make(11, sessions_played=2, tickers=30).open_fund(), Messages()
    operations = open_operations(fund, messages, tmp_path)
    operations.rebalance(None)
    fund.move(Auction.OPEN)
    store = LakeActivities(Lake(str(tmp_path)))
    books = AccountBooks(fund.ports.broker, VenueActivities(fund.repository), store, fund.journal, fund.ports.data)
    losses = LossWatch(fund.journal, books, RiskLimits(), messages)
    account, reconciled = fund.ports.broker.account(), list[float]()
    found: list[TradingState] = []
    left = list[float]()

    def shrunken(_: object) -> Account:
        return replace(account, net_asset_value=left[-1] * account.net_asset_value)

    def reconcile() -> None:
        reconciled.append(left[-1])
        operations.reconcile()

    monkeypatch.setattr(type(fund.ports.broker), "account", shrunken)
    for part in (0.96, 0.94, 0.94, 0.70, 0.70):
        left.append(part)
        losses.look(fund.ports.broker, reconcile)
        found.append(fund.journal.trading_state().state)
    reduced, halted = TradingState.REDUCE_ONLY, TradingState.HALTED
    assert found == [TradingState.ACTIVE, reduced, reduced, halted, halted]
    assert reconciled == [0.94, 0.70]
    monkeypatch.undo()
    fund.move(Auction.CLOSE)
    losses.look(fund.ports.broker, pytest.fail)


def _unavailable(_: object) -> list[Any]:
    raise UnavailableError("the broker does not answer")


def test_alerts_by_hand() -> None:
    """Refusals, unresolved orders, limits, foreign holdings, names without bars and missed sessions: a message each."""
    fund = World.make(11, sessions_played=1, tickers=30).open_fund()
    outcome = Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
    first, second, *others = outcome.orders
    lost = replace(first, state=OrderState.REJECTED, reason="refused: no")
    unknown = replace(second, state=OrderState.UNRESOLVED, reason="the line was cut")
    foreign = [
        ForeignItem(ForeignKind.POSITION, "AAPL", 7.0),
        ForeignItem(ForeignKind.ORDER, "AAPL", 7.0, OrderSide.BUY, "by-hand"),
    ]
    cuts = [LimitCut("A", LimitKind.BETA), LimitCut("B", LimitKind.BETA), LimitCut("A", LimitKind.TURNOVER)]
    found = alerts_of_run(replace(outcome, orders=[lost, unknown, *others], foreign=foreign), cuts, ["HALT"])
    assert [(one.kind, one.title) for one in found] == [
        (
            NotificationKind.ORDERS_NOT_SENT,
            f"The broker refused 1 of {len(outcome.orders)} orders of {outcome.run.date}",
        ),
        (NotificationKind.LIMIT, f"Risk limits cut the decision of {outcome.run.date}"),
        (NotificationKind.ORDER_UNRESOLVED, f"It is not known whether an order of {second.ticker} is at the broker"),
        (NotificationKind.FOREIGN, "A position in AAPL is not the fund's"),
        (NotificationKind.FOREIGN, "An order in AAPL is not the fund's"),
        (NotificationKind.NAME_ENDED, "HALT is held and has no bars any more"),
    ]
    assert found[1].text == "beta: A, B\nturnover: A"
    row = replace(first, portfolio_id=ACTIONS, client_order_id="x-close-0", state=OrderState.FILLED, ticker="STK")
    row = replace(row, reason="cash merger of 20 STK", filled_quantity=20.0, filled_average_price=31.5)
    received = replace(row, client_order_id="x-add-0", ticker="BUYR")
    (ended,) = alerts_of_ended([row, received, replace(row, state=OrderState.DROPPED)])
    assert (ended.kind, ended.title) == (NotificationKind.NAME_ENDED, "STK has ended: cash merger of 20 STK")
    assert "20 shares of STK are no longer held, at 31.50 dollars a share" in ended.text
    assert len({one.key for one in found}) == len(found)
    assert [one.key for one in alerts_of_foreign(foreign)] == [one.key for one in found if one.kind == "foreign"]


@pytest.mark.parametrize(
    ("last", "day", "missed"),
    [
        (date(2024, 11, 27), date(2024, 11, 29), None),  # Thanksgiving is between
        (date(2024, 11, 26), date(2024, 11, 29), "2024-11-27"),
        (date(2024, 11, 22), date(2024, 11, 29), "2024-11-25, 2024-11-26, 2024-11-27"),
    ],
)
def test_missed_sessions(last: date, day: date, missed: str | None) -> None:
    """Sessions of the exchange between two decisions; holidays are none."""
    found = alert_of_missed_sessions(day, last)
    assert (found is None) is (missed is None)
    assert found is None or missed is None or missed in found.text


def test_gains_by_name() -> None:
    """The change of each total; what was closed has no side; what did not change is left out."""
    now = {"": Decimal(-3), "A": Decimal(10), "B": Decimal(4), "C": Decimal(7), "D": Decimal(1)}
    before = {"A": Decimal(12), "B": Decimal(4), "D": Decimal(0)}
    found = find_gains(now, before, {"A": Decimal(5), "B": Decimal(5), "C": Decimal(-2)})
    assert [(one.ticker, one.side, int(one.dollars)) for one in found] == [
        ("account", "account", -3),
        ("A", "long", -2),
        ("C", "short", 7),
        ("D", "closed", 1),
    ]
