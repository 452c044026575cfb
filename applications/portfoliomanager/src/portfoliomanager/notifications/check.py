"""Checks the targets that standard input names, for `fund init`: `python -m portfoliomanager.notifications.check`.

With `--bot` one of them has to be a Telegram bot. Where they are wrong, the exit code is 1, and a sentence says where.
"""

import argparse
import sys

from internal.errors import ConfigurationError
from portfoliomanager.notifications.targets import find_bot_token, read_targets


def main() -> None:
    """Read, check, and end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bot", action="store_true", help="one target has to be tgram://TOKEN/CHAT")
    needs_bot = parser.parse_args().bot
    try:
        targets = read_targets(sys.stdin.read())
    except ConfigurationError as error:
        sys.exit(error.detail)
    if needs_bot and not find_bot_token(targets):
        sys.exit("telegram_chats is set, but no line of NOTIFICATION_URLS is tgram://TOKEN/CHAT")


if __name__ == "__main__":
    main()
