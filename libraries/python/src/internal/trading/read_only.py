"""A situation that user code cannot change, and whose arrays reach no row after the day."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from internal.trading.day_inputs import BarHistory, DayInputs, Forecasts
from internal.trading.situation import Situation


def make_read_only(situation: Situation) -> Situation:
    """The situation with arrays that refuse writing and have no base: a view of all sessions becomes a copy.

    An array that is read-only already and owns its data is passed on as it is.
    """
    inputs = situation.inputs
    load_history = None if inputs.load_history is None else _sealed_loader(inputs.load_history)
    forecasts = inputs.forecasts and replace(inputs.forecasts, **_sealed_arrays(inputs.forecasts))
    rates = MappingProxyType(dict(situation.assets.borrow_rates))
    return replace(
        situation,
        inputs=replace(inputs, load_history=load_history, forecasts=forecasts, **_sealed_arrays(inputs)),
        assets=replace(situation.assets, borrow_rates=rates),
    )


def _sealed_loader(load: Callable[[], BarHistory]) -> Callable[[], BarHistory]:
    """Loads and seals the bars at the first call, and gives the same ones after it."""

    @cache
    def load_sealed() -> BarHistory:
        bars = load()
        return replace(bars, days=tuple(bars.days), **_sealed_arrays(bars))

    return load_sealed


def _sealed_arrays(row: BarHistory | DayInputs | Forecasts) -> dict[str, Any]:
    """The arrays of a row by field, sealed."""
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(row)}
    arrays: dict[str, NDArray[Any]] = {name: one for name, one in values.items() if isinstance(one, np.ndarray)}
    return {name: _seal(one) for name, one in arrays.items()}


def _seal(values: NDArray[Any]) -> NDArray[Any]:
    if values.base is None and not values.flags.writeable:
        return values
    sealed = values.copy()
    sealed.flags.writeable = False
    return sealed
