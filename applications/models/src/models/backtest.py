"""Backtest: not here yet, and it says so.

Knows what is missing: the decisions live in portfoliomanager, which `models` must not import.
"""

from typing import Final

MISSING: Final = (
    "There is no backtest yet. Forecasts can be judged with `models evaluate`; walking them through the portfolio's "
    "decisions needs portfoliomanager's decision core over a replayed market, and that is not built. "
    "What runs today: `fund up --bars FILE` trades real bars through the exchange, session by session."
)
