"""Commands from Telegram: who may give which, once each, and what a Bot API that fails brings about."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, override

import pytest
from polars.exceptions import PanicException
from structlog.testing import capture_logs
from structlog.typing import EventDict

from internal.errors import ConfigurationError, UnavailableError
from internal.modes import Mode
from internal.trading.memory_journal import MemoryJournal
from internal.trading.state_changes import change_state, tighten
from internal.trading.trading_state import StateCause, TradingState, TradingStateChange
from portfoliomanager.configuration import Configuration
from portfoliomanager.telegram.answers import TelegramAnswers
from portfoliomanager.telegram.bot_api import BotApi
from portfoliomanager.telegram.messages import Command, parse_command
from portfoliomanager.telegram.polling import NUMBERS_GOOD_FOR, PAUSE_SECONDS, STANDBY_SECONDS, TelegramPolling

TOKEN = "123456:of-the-test-alone"  # noqa: S105 - of the test alone
NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
OWNER, STRANGER, GROUP = 42, 666, -1001


class BotServer:
    """The Bot API as a real HTTP server: a queue that is deleted up to the offset, and answers that are kept.

    Attributes:
        queue: The updates that were not deleted.
        keeps: Whether it goes on giving updates that were confirmed, as a faulty server might.
        sent: Chat and text of each answer.
        scripted: Status and body of the next answers, instead of the proper ones.
        paths: What was asked for.
    """

    def __init__(self) -> None:
        self.queue: list[dict[str, Any]] = []
        self.keeps = False
        self.sent: list[tuple[int, str]] = []
        self.scripted: list[tuple[int, bytes]] = []
        self.paths: list[str] = []
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                bot.paths.append(self.path)
                status, answer = bot.scripted.pop(0) if bot.scripted else (200, bot.answer(self.path, body))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer)

            @override
            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, body: dict[str, Any]) -> bytes:
        """The proper answer of either method."""
        result: object = True
        match path.rpartition("/")[2]:
            case "getUpdates":
                assert body["allowed_updates"] == ["message"]
                if not self.keeps:
                    self.queue = [one for one in self.queue if one["update_id"] >= body.get("offset", 0)]
                result = self.queue
            case _:
                self.sent.append((body["chat_id"], body["text"]))
        return json.dumps({"ok": True, "result": result}).encode()

    def write(self, number: int, text: str, *, chat: int = OWNER, ago: float = 1.0, changes: object = None) -> None:
        """A person writes to the bot."""
        message = {
            "message_id": number,
            "date": int((NOW - timedelta(seconds=ago)).timestamp()),
            "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "Ada"},
            "text": text,
        }
        self.queue.append({"update_id": number, "message": message | (changes if isinstance(changes, dict) else {})})


@pytest.fixture
def bot() -> Iterator[BotServer]:
    """A running Bot API."""
    found = BotServer()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    """What is logged, whatever other tests of the process have configured."""
    with capture_logs() as entries:
        yield entries


def events(logged: list[EventDict]) -> list[str]:
    """The names of what was logged."""
    return [str(entry["event"]) for entry in logged]


class Fund:
    """A fund's journal with what answers its owner; every new one is a restart."""

    def __init__(self, bot: BotServer, folder: Path, journal: MemoryJournal | None = None) -> None:
        self.journal, self.may_act, self.now, self.continued = journal or MemoryJournal(), True, NOW, threading.Event()
        self.changes: list[TradingStateChange] = []
        self.error: BaseException | None = None
        self.is_halted_meanwhile = False
        self.polling = TelegramPolling(
            BotApi(TOKEN, bot.url, poll_seconds=0),
            [OWNER, GROUP],
            TelegramAnswers(self.journal, Mode.PAPER, self.tighten_state),
            go_on=self.continued.set,
            may_act=lambda: self.may_act,
            state_directory=folder,
            now=lambda: self.now,
        )

    def tighten_state(self, state: TradingState, changed_by: str, reason: str) -> TradingStateChange:
        """Store a state as the service does; another process may have halted trading since it was looked at."""
        if self.error is not None:
            raise self.error
        if self.is_halted_meanwhile:
            tighten(self.journal, TradingState.HALTED, StateCause.LIMIT, "lost too much", self.now)
        change = tighten(self.journal, state, StateCause.OWNER, reason, self.now, changed_by=changed_by)
        self.changes.append(change)
        return change

    def step(self) -> float:
        """One request and what follows from it."""

        async def run() -> float:
            pause = await self.polling.step()
            if any(change.state is TradingState.REDUCE_ONLY for change in self.changes):
                await asyncio.to_thread(self.continued.wait, 30)
            return pause

        return asyncio.run(run())

    @property
    def state(self) -> TradingState:
        """The trading state."""
        return self.journal.trading_state().state


@pytest.mark.parametrize(
    ("text", "command", "reason"),
    [
        ("halt", Command.HALT, "no reason was given"),
        ("/halt  data look\nwrong", Command.HALT, "data look wrong"),
        (" /Reduce@my_fund_bot ", Command.REDUCE, "no reason was given"),
        ("STATUS", Command.STATUS, "no reason was given"),
        *((text, None, "") for text in ("", "resume", "/flatten", "halting", "please halt", "/", "haltё", "☠")),
    ],
)
def test_commands(text: str, command: Command | None, reason: str) -> None:
    """The first word decides; nothing resumes or closes."""
    found = parse_command(text)
    assert (found.command, found.reason) == (command, reason) if found else command is None


def test_halt_and_status(bot: BotServer, tmp_path: Path) -> None:
    """A listed chat halts, with who and why; the answers say what holds."""
    fund = Fund(bot, tmp_path)
    bot.write(1, "/halt data look wrong")
    bot.write(2, "status")
    assert fund.step() == PAUSE_SECONDS
    change = fund.journal.trading_state()
    assert (change.state, change.changed_by, change.reason) == (
        TradingState.HALTED,
        "Telegram user 42",
        "data look wrong",
    )
    halted, status = (text for chat, text in bot.sent if chat == OWNER)
    assert halted.startswith("PAPER: trading is halted")
    assert "`./fund resume` at the machine trades again." in halted
    assert "by Telegram user 42: data look wrong" in status
    assert "No decision yet." in status


def test_reduce_never_loosens(bot: BotServer, tmp_path: Path) -> None:
    """Reduce goes on with an interrupted run, for closes; it does not lift a halt."""
    fund = Fund(bot, tmp_path)
    bot.write(1, "reduce")
    fund.step()
    assert fund.state is TradingState.REDUCE_ONLY
    assert fund.continued.is_set()
    bot.write(2, "halt")
    bot.write(3, "reduce")
    fund.step()
    assert fund.state is TradingState.HALTED
    assert "`./fund reduce` at the machine does" in bot.sent[-1][1]


def test_reduce_does_not_lift_a_halt_of_the_same_moment(bot: BotServer, tmp_path: Path) -> None:
    """A limit on losses halts trading between the look at the state and its change: the halt holds, and is said."""
    fund = Fund(bot, tmp_path)
    fund.is_halted_meanwhile = True
    bot.write(1, "reduce")
    fund.step()
    assert fund.state is TradingState.HALTED
    assert "trading is halted" in bot.sent[-1][1]


@pytest.mark.parametrize(
    ("chat", "changes"),
    [
        (STRANGER, {}),
        (OWNER, {"text": "resume"}),
        (OWNER, {"from": {"id": 7, "is_bot": True}}),
        (OWNER, {"from": None}),
        (OWNER, {"text": 7}),
        (OWNER, {"chat": {"id": "many"}}),
    ],
    ids=["unknown chat", "other text", "a bot", "a channel", "no text", "no chat"],
)
def test_ignored(bot: BotServer, tmp_path: Path, chat: int, changes: dict[str, Any], logged: list[EventDict]) -> None:
    """What is no command of a listed chat changes nothing, gets no answer, and is passed over; no text is logged."""
    fund = Fund(bot, tmp_path)
    for number in (1, 2):
        bot.write(number, "halt", chat=chat, changes=changes)
    fund.step()
    fund.step()
    assert (fund.state, bot.sent, bot.queue) == (TradingState.ACTIVE, [], [])
    assert events(logged).count("telegram_chat_ignored") == (1 if chat == STRANGER else 0)
    assert str(changes.get("text", "halt")) not in str(logged)


def test_once_over_restarts(bot: BotServer, tmp_path: Path) -> None:
    """A server that gives a confirmed command again does not have it repeated, by this process or the next one."""
    bot.keeps = True
    fund = Fund(bot, tmp_path)
    bot.write(5, "halt")
    fund.step()
    change_state(fund.journal, TradingState.ACTIVE, "ada", StateCause.OWNER, "well again", NOW)
    fund.step()
    after = Fund(bot, tmp_path, fund.journal)
    after.step()
    assert (len(fund.changes), after.changes, len(bot.sent), after.state) == (1, [], 1, TradingState.ACTIVE)


def test_old_command_after_a_restart(bot: BotServer, tmp_path: Path) -> None:
    """A command that waited for the fund to start changes nothing, and the answer says so."""
    bot.write(1, "halt", ago=301)
    bot.write(2, "reduce", ago=299)
    fund = Fund(bot, tmp_path)
    fund.step()
    assert [change.state for change in fund.changes] == [TradingState.REDUCE_ONLY]
    assert "Nothing was changed; send it again" in bot.sent[0][1]
    assert "15:24" in bot.sent[0][1]


def test_numbers_begin_anywhere_after_a_week(bot: BotServer, tmp_path: Path) -> None:
    """Telegram then numbers from anywhere: a smaller number is a new command."""
    fund = Fund(bot, tmp_path)
    bot.write(1000, "status")
    fund.step()
    fund.step()  # Telegram deletes what was handled
    later = NUMBERS_GOOD_FOR + timedelta(days=2)
    fund.now = NOW + later
    bot.write(3, "halt", ago=-later.total_seconds())
    fund.step()
    assert fund.state is TradingState.HALTED


def test_a_failed_change_is_said(bot: BotServer, tmp_path: Path) -> None:
    """The owner must not believe in a halt that was not stored; a reason that is too long changes nothing either."""
    fund = Fund(bot, tmp_path)
    fund.error = UnavailableError("the lake cannot be reached")
    bot.write(1, "halt")
    bot.write(2, "halt " + "x" * 600)
    fund.step()
    assert fund.state is TradingState.ACTIVE
    assert bot.sent[0][1] == "PAPER: `halt` was NOT carried out: the lake cannot be reached"
    assert "nothing was changed" in bot.sent[1][1]


@pytest.mark.parametrize("error", [RuntimeError("a fault of ours"), PanicException("a panic of Polars")])
def test_a_command_that_crashes_is_not_repeated(
    bot: BotServer, tmp_path: Path, error: BaseException, logged: list[EventDict]
) -> None:
    """The answer says so, the traceback is in the log, and the next command is carried out."""
    fund = Fund(bot, tmp_path)
    fund.error = error
    bot.write(1, "halt")
    bot.keeps = True
    for _ in range(3):
        assert fund.step() == PAUSE_SECONDS
    ((_, text),) = bot.sent
    assert text.startswith(f"PAPER: `halt` crashed ({type(error).__name__})")
    assert "send `status`" in text
    assert "fault of ours" not in text
    assert events(logged).count("telegram_command_crashed") == 1
    fund.error = None
    bot.write(2, "halt")
    fund.step()
    assert fund.state is TradingState.HALTED


def test_a_full_disk_repeats_no_command(bot: BotServer, tmp_path: Path, logged: list[EventDict]) -> None:
    """What was carried out cannot be noted: this process remembers it all the same, and answers."""
    folder = tmp_path / "state"
    folder.write_text("no folder")
    fund = Fund(bot, folder)
    bot.write(1, "halt")
    bot.keeps = True
    for _ in range(3):
        assert fund.step() == PAUSE_SECONDS
    assert len(fund.changes) == len(bot.sent) == 1
    assert "telegram_command_not_noted" in events(logged)


def test_in_a_group_only_listed_people_command(bot: BotServer, tmp_path: Path, logged: list[EventDict]) -> None:
    """A listed group is answered there; who writes in it has to be listed too."""
    fund = Fund(bot, tmp_path)
    group = {"chat": {"id": GROUP, "type": "supergroup"}}
    bot.write(1, "halt", chat=STRANGER, changes=group)
    fund.step()
    assert (fund.state, bot.sent) == (TradingState.ACTIVE, [])
    assert [(one["chat"], one["sender"]) for one in logged if one["event"] == "telegram_chat_ignored"] == [
        (GROUP, STRANGER)
    ]
    bot.write(2, "halt", chat=OWNER, changes=group)
    fund.step()
    assert (fund.state, [chat for chat, _ in bot.sent]) == (TradingState.HALTED, [GROUP])


def test_only_the_trader_reads(bot: BotServer, tmp_path: Path) -> None:
    """Without the lease nothing is asked, so that the process that holds it gets the commands."""
    fund = Fund(bot, tmp_path)
    fund.may_act = False
    bot.write(1, "halt")
    assert fund.step() == STANDBY_SECONDS
    assert (bot.paths, fund.state) == ([], TradingState.ACTIVE)


@pytest.mark.parametrize(
    ("status", "body", "words", "pauses"),
    [
        (200, b"<html>a hotel's wireless network</html>", "cannot be read", [1, 2]),
        (200, b'{"ok": true, "result": 7}', "cannot be read", [1, 2]),
        (200, b'{"ok": true, "result": [{"update_id": "x"}]}', "cannot be read", [1, 2]),
        (
            401,
            b'{"ok": false, "error_code": 401, "description": "Unauthorized"}',
            "refuses the bot's token",
            [600, 600],
        ),
        (409, b'{"ok": false, "error_code": 409, "description": "Conflict"}', "another program", [30, 30]),
        (429, b'{"ok": false, "parameters": {"retry_after": 17}}', "asks to wait", [17, 17]),
        (400, b'{"ok": false, "description": "Bad Request"}', "refuses the request", [1, 2]),
        (502, b"", "does not answer", [1, 2]),
    ],
)
def test_faults_of_the_service(  # noqa: PLR0913, PLR0917 - two fixtures, and a case's answer and what follows
    bot: BotServer,
    tmp_path: Path,
    status: int,
    body: bytes,
    words: str,
    pauses: list[float],
    logged: list[EventDict],
) -> None:
    """Each is logged once in words without the token, waited for, and gone after the next good answer."""
    fund = Fund(bot, tmp_path)
    bot.scripted = [(status, body)] * 2
    bot.write(1, "halt")
    assert [fund.step(), fund.step()] == pauses
    assert fund.step() == PAUSE_SECONDS
    assert fund.state is TradingState.HALTED
    assert events(logged).count("telegram_cannot_be_used") == 1
    assert words in str(logged)
    assert TOKEN not in str(logged)


def test_outage(bot: BotServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An address where nobody listens is tried again after ever longer pauses, a minute at most."""
    bot.server.server_close()
    fund = Fund(bot, tmp_path)
    with caplog.at_level(logging.INFO):
        assert [fund.step() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert TOKEN not in caplog.text


def test_lost_answer(bot: BotServer, tmp_path: Path) -> None:
    """A command whose answer cannot be sent was carried out, and is not repeated."""
    fund = Fund(bot, tmp_path)
    bot.write(1, "halt")
    queue = bot.answer("/getUpdates", {"allowed_updates": ["message"]})
    bot.scripted = [(200, queue), (429, b'{"ok": false, "parameters": {"retry_after": 5}}')]
    assert fund.step() == PAUSE_SECONDS
    fund.step()
    assert (fund.state, len(fund.changes), bot.sent) == (TradingState.HALTED, 1, [])


@pytest.mark.parametrize(
    ("urls", "chats", "message"),
    [
        ("json://owner@127.0.0.1", "42", "no line of NOTIFICATION_URLS is tgram"),
        (f"tgram://{TOKEN}/42", "42,ada", "TELEGRAM_CHATS is wrong"),
    ],
)
def test_wrong_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, urls: str, chats: str, message: str) -> None:
    """Chats without a bot, and chats that are no numbers, are refused at the start."""
    set_variables(monkeypatch, tmp_path, urls, chats)
    with pytest.raises(ConfigurationError, match=message):
        Configuration()


def test_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bot is that of the messages, and its token is masked in the log; without chats nothing is read."""
    set_variables(monkeypatch, tmp_path, "tgram://123456789:ABCdef-ghi_jklmnopqrstuvwx1234567/42", "42, -100")
    settings = Configuration()
    assert settings.telegram_chat_ids() == [42, -100]
    assert settings.telegram_bot() is not None
    assert "123456789:ABCdef-ghi_jklmnopqrstuvwx1234567" in [one.get_secret_value() for one in settings.secrets()]
    monkeypatch.delenv("TELEGRAM_CHATS")
    assert Configuration().telegram_bot() is None


def set_variables(monkeypatch: pytest.MonkeyPatch, folder: Path, urls: str, chats: str) -> None:
    """The settings of a service that can start."""
    variables = {
        "ALPACA_API_KEY_ID": "PKTEST",
        "ALPACA_API_SECRET": "test",
        "ALPACA_BASE_URL": "http://127.0.0.1:9",
        "DATA_BUCKET": str(folder / "lake"),
        "REGISTRY_DIRECTORY": str(folder / "registry"),
        "STATE_DIRECTORY": str(folder),
        "NOTIFICATION_URLS": urls,
        "TELEGRAM_CHATS": chats,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
