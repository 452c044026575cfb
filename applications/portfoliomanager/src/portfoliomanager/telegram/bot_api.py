"""Telegram's Bot API over HTTP: reads the bot's queue by long polling, and sends answers.

https://core.telegram.org/bots/api. The address of every request holds the bot's token: no error and no log line has it.
"""

import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from portfoliomanager.telegram.messages import ChatMessage, Update

POLL_SECONDS = 50
ANSWER_SECONDS = 10.0
LONGEST_TEXT = 4096  # characters that Telegram takes
CONFLICT, TOO_MANY, UNAUTHORIZED, NOT_FOUND, SERVER = 409, 429, 401, 404, 500


class Problem(StrEnum):
    """Why the Bot API was of no use."""

    OUTAGE = "it does not answer"
    GARBAGE = "its answer cannot be read"
    TOKEN = "it refuses the bot's token"  # noqa: S105 - words
    CONFLICT = "another program reads the same bot's messages"
    TOO_MANY = "it asks to wait"
    REFUSED = "it refuses the request"


class BotApiError(Exception):
    """A request that failed.

    Args:
        problem: Why.
        retry_after: Seconds that Telegram asks to wait, 0 where it asks for none.
    """

    def __init__(self, problem: Problem, retry_after: float = 0.0) -> None:
        super().__init__(problem.value)
        self.problem, self.retry_after = problem, retry_after


class _Chat(BaseModel):
    id: int


class _User(BaseModel):
    id: int
    is_bot: bool = False


class _Message(BaseModel):
    chat: _Chat
    date: int
    sender: _User | None = Field(None, alias="from")
    text: str = ""


class _Update(BaseModel):
    update_id: int
    message: Any = None


class _Parameters(BaseModel):
    retry_after: float = 0.0


class _Answer(BaseModel):
    ok: bool
    result: Any = None
    parameters: _Parameters = _Parameters()


class BotApi:
    """One bot.

    Args:
        token: The bot's token.
        base_url: Where the Bot API is.
        poll_seconds: How long Telegram holds a request for messages while there are none.
    """

    def __init__(self, token: str, base_url: str, poll_seconds: int = POLL_SECONDS) -> None:
        self._url, self._poll_seconds = f"{base_url.rstrip('/')}/bot{token}", poll_seconds

    async def read_updates(self, first: int | None) -> Sequence[Update]:
        """The queue from an update on; those before it are deleted there. None: all that was not deleted.

        Raises:
            BotApiError: Telegram cannot be used.
        """
        asked = {"timeout": self._poll_seconds, "allowed_updates": ["message"]}
        result = await self._call("getUpdates", asked | ({} if first is None else {"offset": first}))
        try:
            return [_read_update(one) for one in result]
        except (ValidationError, TypeError) as error:
            raise BotApiError(Problem.GARBAGE) from error

    async def send(self, chat: int, text: str) -> None:
        """Send a message. Raises BotApiError."""
        await self._call("sendMessage", {"chat_id": chat, "text": text[:LONGEST_TEXT]})

    async def _call(self, method: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - any JSON, checked by who asked
        seconds = self._poll_seconds + ANSWER_SECONDS
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=seconds, verify=_certificates()) as client:
                response = await client.post(f"{self._url}/{method}", json=body)
        except httpx.HTTPError as error:
            raise BotApiError(Problem.OUTAGE) from error
        return _read_result(response)


@cache
def _certificates() -> ssl.SSLContext:
    """The machine's certificate authorities, read once: it takes some 50 ms."""
    return ssl.create_default_context()


def _read_result(response: httpx.Response) -> Any:  # noqa: ANN401 - as above
    if response.status_code >= SERVER:
        raise BotApiError(Problem.OUTAGE)
    try:
        answer = _Answer.model_validate_json(response.content)
    except ValidationError as error:
        raise BotApiError(Problem.GARBAGE) from error
    if answer.ok and response.is_success:
        return answer.result
    problems = {
        CONFLICT: Problem.CONFLICT,
        TOO_MANY: Problem.TOO_MANY,
        UNAUTHORIZED: Problem.TOKEN,
        NOT_FOUND: Problem.TOKEN,
    }
    raise BotApiError(problems.get(response.status_code, Problem.REFUSED), answer.parameters.retry_after)


def _read_update(given: object) -> Update:
    """An update; a message that is not as described counts as none, and is passed over."""
    update = _Update.model_validate(given)
    try:
        message = None if update.message is None else _Message.model_validate(update.message)
    except ValidationError:
        message = None
    if message is None or message.sender is None or message.sender.is_bot:
        return Update(update.update_id, None)
    sent_at = datetime.fromtimestamp(message.date, UTC)
    return Update(update.update_id, ChatMessage(message.chat.id, message.sender.id, sent_at, message.text))
