"""The ids of Telegram chats as a setting lists them."""

from collections.abc import Sequence

from internal.errors import ConfigurationError


def parse_chats(text: str) -> Sequence[int]:
    """The chats of a list separated by commas. Raises ConfigurationError, which says how it is written."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.removeprefix("-").isdecimal() for part in parts):
        raise ConfigurationError("write the ids of chats, whole numbers separated by commas, such as 123456789")
    return [int(part) for part in parts]
