"""Adapters: the ports of portfoliomanager on a real broker, a real data service and the lake."""

from internal.deferred_import import defer_import

defer_import("pandas")  # alpaca-py imports it for one date that is not asked for: a third of the service's start
