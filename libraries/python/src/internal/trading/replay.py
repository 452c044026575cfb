"""Replay: a decision taken again from what was known then, and compared with what was stored, bit for bit."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

from internal.trading.arming import digest_of
from internal.trading.day_inputs import DayInputs
from internal.trading.decision import decide
from internal.trading.decision_records import DecisionRecord, NameRecord, make_record
from internal.trading.limits import RiskLimits
from internal.trading.reduce_only import keep_closes
from internal.trading.strategy import Strategy

NAME_FIELDS = tuple(field.name for field in fields(NameRecord) if field.name not in {"ticker", "row"})
NOT_STORED = ("rank", None)  # by versions before 2026-11-28, nor where a strategy has no scores
WHOLE = "record"  # the field of a difference where a name has no record on one side


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of a name that is not the same now; `field` is that of a name's record, or of its portfolio row."""

    ticker: str
    field: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it.

    Attributes:
        portfolio_id: Of the decision.
        day: The session at whose close it was decided.
        name_count: How many names were compared.
        has_same_rules: Whether strategy, parameters and limits are those of then.
        differences: By ticker; none where everything is the same to the bit, and so are the orders.
    """

    portfolio_id: str
    day: date
    name_count: int
    has_same_rules: bool
    differences: tuple[Difference, ...]


def replay_decision(record: DecisionRecord, inputs: DayInputs, strategy: Strategy, limits: RiskLimits) -> Replay:
    """Decide again, send nothing, and compare every name. Raises StrategyError.

    inputs: Of the day, as they were known then.
    """
    situation = record.situation(inputs)
    decision = keep_closes(decide(situation, strategy, limits), record.reduction)
    rules = digest_of(strategy.record, "", limits)
    now = make_record(record.portfolio_id, situation, decision, record.reduction, rules)
    differences = tuple(_compare(record, now))
    return Replay(record.portfolio_id, record.day, len(record.names), rules == record.rules, differences)


def _compare(then: DecisionRecord, now: DecisionRecord) -> Iterator[Difference]:
    before, after = ({one.ticker: one for one in record.names} for record in (then, now))
    for ticker in sorted({*before, *after}):
        one, other = before.get(ticker), after.get(ticker)
        if one is None or other is None:
            yield Difference(ticker, WHOLE, _say(one), _say(other))
        elif one != other:
            yield from _compare_names(one, other)


def _compare_names(then: NameRecord, now: NameRecord) -> Iterator[Difference]:
    for name in NAME_FIELDS:
        one, other = getattr(then, name), getattr(now, name)
        if one != other and (name, one) != NOT_STORED:
            yield Difference(then.ticker, name, str(one), str(other))
    if then.row is None or now.row is None:
        if then.row is not now.row:
            yield Difference(then.ticker, "row", str(then.row), str(now.row))
        return
    for field in fields(then.row):
        if (one := getattr(then.row, field.name)) != (other := getattr(now.row, field.name)):
            yield Difference(then.ticker, field.name, str(one), str(other))


def _say(record: NameRecord | None) -> str:
    return "none" if record is None else record.outcome.value
