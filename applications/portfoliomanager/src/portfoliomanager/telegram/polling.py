"""Reads the bot's queue while this process may trade, and has each command of a listed chat carried out once."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client import Counter

from internal.atomic_files import write_atomically
from internal.errors import FundError
from internal.telemetry import get_logger
from portfoliomanager.telegram.answers import TelegramAnswers
from portfoliomanager.telegram.bot_api import BotApi, BotApiError, Problem
from portfoliomanager.telegram.messages import ChatMessage, Command, Update, parse_command

FILE = "telegram.json"  # of the state directory: the last update that was handled, and when
PAUSE_SECONDS = 0.5
STANDBY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
PAUSES = {Problem.CONFLICT: 30.0, Problem.TOKEN: 600.0}  # what a person has to set right is not asked every second
NUMBERS_GOOD_FOR = timedelta(days=6)  # after a week without an update Telegram numbers from anywhere

POLLS = Counter("telegram_polls_total", "Requests for messages from Telegram, by what came of them", ("outcome",))
OK = "ok"
for _outcome in (OK, *(problem.name.lower() for problem in Problem)):
    POLLS.labels(_outcome)

logger = get_logger(__name__)


@dataclass(frozen=True)
class Note:
    """The last update that was handled, and when, UTC."""

    handled: int
    at: datetime


NO_NOTE = Note(0, datetime.min.replace(tzinfo=UTC))


class TelegramPolling:
    """The loop that answers the owner.

    Args:
        api: The bot.
        chats: The ids of the chats that may command; in a group, whoever writes has to be listed too.
        answers: Carries commands out.
        go_on: Goes on with an interrupted run, after `reduce`: what it still has to close is sent.
        may_act: Whether this process may trade; another one reads the queue otherwise.
        state_directory: Of the service.
        now: This machine's clock, UTC.
    """

    def __init__(  # noqa: PLR0913 - one component an argument
        self,
        api: BotApi,
        chats: Sequence[int],
        answers: TelegramAnswers,
        *,
        go_on: Callable[[], object],
        may_act: Callable[[], bool],
        state_directory: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api, self._chats, self._answers, self._go_on = api, frozenset(chats), answers, go_on
        self._may_act, self._path, self._now = may_act, state_directory / FILE, now
        self._ignored: set[tuple[int, int]] = set()  # chats and senders that were logged
        self._noted = NO_NOTE
        self._problem: Problem | None = None
        self._failures = 0
        self._followed: set[asyncio.Task[object]] = set()

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Poll for ever."""
        while True:
            await sleep(await self.step())

    async def step(self) -> float:
        """Ask once and handle what came; the seconds to pause before the next request."""
        if not self._may_act():
            return STANDBY_SECONDS
        try:
            updates = await self._api.read_updates(self._next_number())
            for update in updates:
                if not self._may_act():
                    return STANDBY_SECONDS  # who may trade now gets this update and all after it
                await self._handle(update)
        except BotApiError as error:
            return self._note_problem(error)
        POLLS.labels(OK).inc()
        if self._problem is not None:
            logger.info("telegram_answers_again")
        self._problem, self._failures = None, 0
        return PAUSE_SECONDS

    async def _handle(self, update: Update) -> None:
        """Handle one update; it is noted before the answer leaves, so that a lost answer repeats no command."""
        first = self._next_number()
        if first is not None and update.number < first:
            return
        message = update.message
        request = None if message is None or not self._is_listed(message) else parse_command(message.text)
        if message is None or request is None:
            self._remember(update.number)
            return
        answer = await asyncio.to_thread(self._answers.answer, request, message, self._now())
        self._remember(update.number)
        logger.info("telegram_command", command=request.command, chat=message.chat, sender=message.sender)
        if request.command is Command.REDUCE:
            self._follow()
        await self._send(message, answer)

    async def _send(self, message: ChatMessage, answer: str) -> None:
        try:
            await self._api.send(message.chat, answer)
        except BotApiError as error:
            logger.warning("telegram_answer_not_sent", chat=message.chat, problem=error.problem.value)

    def _follow(self) -> None:
        """Go on with an interrupted run beside the loop: the next command must not wait for it."""
        task = asyncio.create_task(asyncio.to_thread(self._go_on))
        self._followed.add(task)
        task.add_done_callback(self._followed.discard)

    def _is_listed(self, message: ChatMessage) -> bool:
        """Whether chat and sender are listed; a private chat has the id of its person."""
        if {message.chat, message.sender} <= self._chats:
            return True
        if (message.chat, message.sender) not in self._ignored:
            self._ignored.add((message.chat, message.sender))
            logger.warning("telegram_chat_ignored", chat=message.chat, sender=message.sender)
        return False

    def _note_problem(self, error: BotApiError) -> float:
        """Log a new problem once; the seconds to pause."""
        POLLS.labels(error.problem.name.lower()).inc()
        if error.problem is not self._problem:
            logger.warning("telegram_cannot_be_used", problem=error.problem.value)
        self._problem, self._failures = error.problem, self._failures + 1
        pause = PAUSES.get(error.problem, min(2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS))
        return max(pause, error.retry_after)

    def _next_number(self) -> int | None:
        """The first update that was not handled, None where the numbers of before mean nothing."""
        newest = max(self._noted, self._read_note(), key=lambda note: note.at)
        return newest.handled + 1 if self._now() - newest.at < NUMBERS_GOOD_FOR else None

    def _read_note(self) -> Note:
        """The note on disk, which a former process may have written."""
        try:
            kept = json.loads(self._path.read_text())
            return Note(int(kept["handled"]), datetime.fromisoformat(kept["at"]))
        except (OSError, ValueError, TypeError, KeyError):
            return NO_NOTE

    def _remember(self, number: int) -> None:
        """Note an update as handled: for this process, and for the next one where the disk takes it."""
        self._noted = Note(number, self._now())
        try:
            write_atomically(self._path, json.dumps({"handled": number, "at": self._noted.at.isoformat()}), 0o600)
        except FundError as error:
            logger.warning("telegram_command_not_noted", number=number, detail=error.detail)
