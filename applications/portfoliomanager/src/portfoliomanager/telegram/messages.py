"""What arrives from Telegram, and which command of the owner it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from internal.trading.trading_state import NO_REASON


class Command(StrEnum):
    """What the owner may ask for; nothing here lets the fund send more than before."""

    STATUS = "status"
    HALT = "halt"
    REDUCE = "reduce"


@dataclass(frozen=True)
class ChatMessage:
    """One message to the bot.

    Attributes:
        chat: The chat's id.
        sender: The user's id.
        sent_at: When it was sent, UTC, to the second.
        text: Its text; empty for pictures and the like.
    """

    chat: int
    sender: int
    sent_at: datetime
    text: str


@dataclass(frozen=True)
class Update:
    """One entry of the bot's queue.

    Attributes:
        number: Its number, larger than those before it.
        message: The message; None for anything else.
    """

    number: int
    message: ChatMessage | None


@dataclass(frozen=True)
class CommandRequest:
    """A command with its reason."""

    command: Command
    reason: str


def parse_command(text: str) -> CommandRequest | None:
    """The command of a message: `/halt data look wrong`, `halt`, `/halt@name_of_the_bot`; None for any other text."""
    word, _, reason = text.strip().partition(" ")
    name = word.removeprefix("/").partition("@")[0].lower()
    if name not in Command:
        return None
    return CommandRequest(Command(name), " ".join(reason.split()) or NO_REASON)
