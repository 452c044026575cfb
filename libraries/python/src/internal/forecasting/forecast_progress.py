"""How far a forecast of many rows is: a network's takes minutes for a whole market, and whoever waits wants to know."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

type OnForecast = Callable[[int, int], None]  # rows that are forecast, and rows in all


def ignore_forecast(done: int, total: int) -> None:
    """Do nothing."""
    del done, total


_observer: ContextVar[OnForecast] = ContextVar("forecast_observer", default=ignore_forecast)


@contextmanager
def observed_forecast(on_forecast: OnForecast) -> Generator[None]:
    """Inside, forecasts say to a function how far they are."""
    before = _observer.set(on_forecast)
    try:
        yield
    finally:
        _observer.reset(before)


def report_forecast(done: int, total: int) -> None:
    """Say how far a forecast is to whoever observes it."""
    _observer.get()(done, total)
