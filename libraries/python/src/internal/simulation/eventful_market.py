"""A simulated market with many splits and halts, planted after its opening session."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from random import Random

import polars as pl

from internal.venue.corporate_actions import CorporateAction, split_action
from internal.venue.market.action_calendar import ActionCalendar
from internal.venue.market.listing import Bar
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.money import ONE

SPLITS, HALTS = 0.05, 0.04  # of the names, a session
RATIOS = [(2, 1), (3, 1), (3, 2), (1, 2), (1, 3)]  # new shares for old ones


class EventfulMarket(SimulatedMarket):
    """The market; its events are a function of its seed."""

    @cached_property
    def _planted(self) -> tuple[Mapping[tuple[str, date], CorporateAction], frozenset[tuple[str, date]]]:
        """Splits and halts by ticker and session."""
        draw = Random(self.seed)  # noqa: S311 - a seed, no secret
        days = [day for day in self.sessions() if day > self.opening_session()]
        names = [(one.ticker, day) for day in days for one in self.listings(days[-1])]
        splits: dict[tuple[str, date], CorporateAction] = {}
        for name in names:
            if draw.random() < SPLITS:
                new, old = draw.choice(RATIOS)
                splits[name] = split_action(*name, Decimal(old), Decimal(new))
        return splits, frozenset(name for name in names if draw.random() < HALTS)

    def bar(self, ticker: str, day: date) -> Bar | None:
        """The bar in shares of the day; None while the ticker is halted."""
        splits, halts = self._planted
        found = super().bar(ticker, day)
        if found is None or (ticker, day) in halts:
            return None
        ratio = 1.0
        for (name, executed), split in splits.items():
            if name == ticker and executed <= day:
                ratio *= float(split.shares_after(ONE))
        return found if ratio == 1 else _split_bar(found, ratio)

    def bars_between(self, start: date, end: date) -> pl.DataFrame:
        """The bars of all sessions of a range, in shares of their days."""
        frame = super().bars_between(start, end)
        found = [self.bar(ticker, day) for ticker, day in frame.select("ticker", "date").iter_rows()]
        stamps = frame.get_column("timestamp").to_list()
        rows = [
            {**asdict(bar), "timestamp": stamp} for bar, stamp in zip(found, stamps, strict=True) if bar is not None
        ]
        return pl.DataFrame(rows, schema=frame.schema)

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """The market's own, and the planted splits."""
        found = super().splits(start, end)
        planted = [
            (split.ticker, split.effective_date, *(float(shares) for shares in split.own_terms))
            for split in self._planted[0].values()
            if start <= split.effective_date <= end
        ]
        columns = ["ticker", "execution_date", "split_from", "split_to"]
        frame = pl.DataFrame(planted, schema={name: found.schema[name] for name in columns}, orient="row")
        return pl.concat([found.select(columns), frame]).sort("execution_date", "ticker")

    def corporate_actions(self, start: date, end: date) -> tuple[CorporateAction, ...]:
        """The market's own, and the planted splits."""
        planted = [split for (_, day), split in self._planted[0].items() if start <= day <= end]
        return ActionCalendar([*super().corporate_actions(start, end), *planted]).between(start, end)


def _split_bar(bar: Bar, ratio: float) -> Bar:
    opened, high, low, closed = (max(round(one / ratio, 2), 0.01) for one in (bar.open, bar.high, bar.low, bar.close))
    average = None if bar.volume_weighted_average_price is None else bar.volume_weighted_average_price / ratio
    return replace(
        bar,
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=float(round(bar.volume * ratio)),
        volume_weighted_average_price=average,
    )
