"""Messages to the owner: what is said when, and how it reaches mail, Telegram, Slack and the like."""

from internal.deferred_import import defer_import

defer_import("apprise")  # a fund without targets starts without it
