"""What a decision was taken from and what it made of every name, so that it can be read and taken again later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Protocol

import numpy as np

from internal.trading.assets import Assets, Refusals
from internal.trading.day_inputs import DayInputs
from internal.trading.enums import Action, NameOutcome
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.positions import Band, Position
from internal.trading.ranks import number_names
from internal.trading.situation import Situation

OUTCOME_OF_ACTION = {
    Action.OPEN: NameOutcome.OPENED,
    Action.HOLD: NameOutcome.KEPT,
    Action.CLOSE: NameOutcome.CLOSED,
}


@dataclass(frozen=True, slots=True)
class NameRecord:
    """A name of the day, or one that was held.

    Attributes:
        ticker: Its name at the broker.
        security_id: The permanent id; None where the data service has none.
        outcome: What the decision made of it.
        reason: Why, for people.
        price: The close of the day, dollars; None without one.
        is_eligible: Whether it could have been opened long.
        is_tradable: Whether the broker traded it.
        is_shortable: Whether the broker lent it.
        is_blocked: Whether it was not to be touched.
        refusal: Why the fund's filter did not let it be opened; None where it did.
        borrow_rate: A yearly fraction, where the broker stated one.
        forecast: The forecast of the day over its longest horizon; None without one.
        position: What was held of it before.
        row: What the decision held of it after; None where it is not in the portfolio.
        rank: Its place by score among the names that are eligible or held (`ranks`), the best is 1; None without one.
    """

    ticker: str
    security_id: str | None
    outcome: NameOutcome
    reason: str
    price: float | None
    is_eligible: bool
    is_tradable: bool
    is_shortable: bool
    is_blocked: bool
    refusal: str | None
    borrow_rate: float | None
    forecast: Band | None
    position: Position | None
    row: PortfolioRow | None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision with all that the data service does not keep of it.

    Attributes:
        portfolio_id: Of the portfolio that was decided.
        day: The session at whose close it was decided.
        net_asset_value: Dollars, as the broker had it then.
        missing_dollars: Of the fund's shares, by the journal, that the broker did not have.
        reduction: Why positions might only become smaller; None where they might grow.
        rules: The digest of strategy, parameters and limits (`arming.digest_of`).
        asset_notes: What the broker left open about its assets.
        names: By ticker.
    """

    portfolio_id: str
    day: date
    net_asset_value: float
    missing_dollars: float
    reduction: str | None
    rules: str
    asset_notes: tuple[str, ...]
    names: tuple[NameRecord, ...]

    @property
    def rows(self) -> tuple[PortfolioRow, ...]:
        """The portfolio as it was decided, before any order was sent."""
        return tuple(one.row for one in self.names if one.row is not None)

    def situation(self, inputs: DayInputs) -> Situation:
        """The situation of then, on the day's inputs as they were known then."""
        rates = {one.ticker: one.borrow_rate for one in self.names if one.borrow_rate is not None}
        refusals = {one.ticker: one.refusal for one in self.names if one.refusal is not None}
        return Situation(
            inputs=inputs,
            net_asset_value=self.net_asset_value,
            positions=tuple(one.position for one in self.names if one.position is not None),
            assets=Assets(
                tradable=frozenset(one.ticker for one in self.names if one.is_tradable),
                shortable=frozenset(one.ticker for one in self.names if one.is_shortable),
                borrow_rates=rates,
                notes=self.asset_notes,
            ),
            blocked=frozenset(one.ticker for one in self.names if one.is_blocked),
            refused=Refusals(refusals, frozenset(refusals)),
            missing_dollars=self.missing_dollars,
        )


class DecisionRecords(Protocol):
    """Stored records; a write is on disk when it returns."""

    def save(self, record: DecisionRecord) -> None:
        """Insert or replace the record of a portfolio, all or nothing."""
        ...

    def find(self, portfolio_id: str, day: date) -> DecisionRecord | None:
        """The record of the portfolio of that session; None where none was stored."""
        ...


def make_record(
    portfolio_id: str, situation: Situation, decision: Decision, reduction: str | None, rules: str
) -> DecisionRecord:
    """The record of a decision; what its arguments mean is said at `DecisionRecord`."""
    return DecisionRecord(
        portfolio_id=portfolio_id,
        day=situation.day,
        net_asset_value=situation.net_asset_value,
        missing_dollars=situation.missing_dollars,
        reduction=reduction,
        rules=rules,
        asset_notes=situation.assets.notes,
        names=describe_names(situation, decision),
    )


def describe_names(situation: Situation, decision: Decision) -> tuple[NameRecord, ...]:
    """Every name of the day and every other one that is held, sorted by ticker, with what was made of it and why."""
    rows = {row.ticker: row for row in decision.rows}
    found = {ticker: _explain(ticker, outcome, situation) for ticker, outcome in _find_outcomes(situation)}
    found |= {one.ticker: (one.outcome, one.reason) for one in decision.left_out}
    found |= {row.ticker: (OUTCOME_OF_ACTION[row.action], row.reason) for row in decision.rows}
    ranks = {} if decision.scores is None else number_names(situation, decision.scores)
    return tuple(
        _describe(ticker, *found[ticker], situation, rows.get(ticker), ranks.get(ticker)) for ticker in sorted(found)
    )


def _find_outcomes(situation: Situation) -> Iterable[tuple[str, NameOutcome]]:
    """What kept each name of the day from being opened; where nothing did, the strategy has not chosen it."""
    kinds = (*situation.obstacles, NameOutcome.NO_FORECAST, NameOutcome.NOT_CHOSEN)
    everything = np.ones(len(situation.tickers), bool)
    without = ~everything if situation.forecasts is None else ~np.isfinite(situation.inputs.bands[:, 1])
    first: list[int] = np.stack([*situation.obstacles.values(), without, everything]).argmax(axis=0).tolist()
    return zip(situation.tickers, (kinds[place] for place in first), strict=True)


def _explain(ticker: str, outcome: NameOutcome, situation: Situation) -> tuple[NameOutcome, str]:
    """The filter has words of its own for each name."""
    return outcome, situation.refused.reasons[ticker] if outcome is NameOutcome.REFUSED else outcome.words


def _describe(  # noqa: PLR0913, PLR0917 - what the record of a name is made of
    ticker: str, outcome: NameOutcome, reason: str, situation: Situation, row: PortfolioRow | None, rank: int | None
) -> NameRecord:
    place, inputs, assets = situation.find(ticker), situation.inputs, situation.assets
    position, ids = situation.holdings.get(ticker), inputs.security_ids
    price = float("nan") if place is None else inputs.price.item(place)
    known = position.security_id if position is not None else None if ids is None or place is None else ids[place]
    return NameRecord(
        ticker=ticker,
        security_id=known,
        outcome=outcome,
        reason=reason,
        price=price if isfinite(price) else None,
        is_eligible=place is not None and bool(situation.may_open[place]),
        is_tradable=ticker in assets.tradable,
        is_shortable=ticker in assets.shortable,
        is_blocked=ticker in situation.blocked,
        refusal=situation.refused.reasons.get(ticker),
        borrow_rate=assets.borrow_rates.get(ticker),
        forecast=situation.forecast_band(ticker),
        position=position,
        row=row,
        rank=rank,
    )
