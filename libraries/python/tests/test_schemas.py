"""Every frame's schema: a valid frame passes, and one planted bad row a check is reported with its key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.errors import SchemaError
from internal.schemas import corporate_actions, equity_bars, equity_details, orders, portfolios, predictions, universe
from internal.schemas.frame_schema import FrameSchema, is_sound, require_sound
from internal.trading.enums import Action, Adjustment, Leg, OrderSide, OrderState, Side, TimeInForce


@dataclass(frozen=True)
class Case:
    """A schema with two sound rows; faults are planted in the second."""

    schema: FrameSchema
    validate: Callable[[pl.DataFrame], pl.DataFrame]
    empty: Callable[[], pl.DataFrame]
    rows: list[dict[str, Any]]

    def frame(self, **faults: object) -> pl.DataFrame:
        """The sound rows, the second with these faults."""
        first, second = self.rows
        return pl.DataFrame([first, {**second, **faults}], schema=self.empty().schema, strict=False)


def two(row: dict[str, Any], **second: object) -> list[dict[str, Any]]:
    """A row, and the same with another key."""
    return [row, {**row, **second}]


BAR = {
    "ticker": "AAA",
    "date": date(2024, 11, 27),
    "timestamp": datetime(2024, 11, 27, 21, tzinfo=UTC),
    "open": 10.0,
    "high": 11.0,
    "low": 9.0,
    "close": 10.5,
    "volume": 1_000.0,
    "volume_weighted_average_price": None,
    "transactions": None,
}
DETAILS = {
    "ticker": "AAA",
    "name": None,
    "sector": None,
    "industry": None,
    "security_type": None,
    "primary_exchange": None,
    "active": True,
    "listed_date": None,
    "delisted_date": None,
    "central_index_key": None,
    "source": "polygon",
    "recorded_at": None,
}
SPLIT = {"ticker": "AAA", "execution_date": date(2024, 6, 10), "split_from": 1.0, "split_to": 10.0}
DIVIDEND = {
    "ticker": "AAA",
    "ex_dividend_date": date(2024, 6, 10),
    "cash_amount": 0.25,
    "declaration_date": None,
    "record_date": None,
    "pay_date": None,
}
PREDICTION = {
    "date": date(2024, 11, 27),
    "ticker": "AAA",
    "target_date": date(2024, 11, 29),
    "horizon": 1,
    "quantile_10": -0.02,
    "quantile_50": 0.0,
    "quantile_90": 0.03,
    "model_version": "abc",
    "bars_version": 4,
}
POSITION = {
    "portfolio_id": "p-1",
    "date": date(2024, 11, 27),
    "ticker": "AAA",
    "side": "long",
    "action": "open",
    "quantity": 10.0,
    "dollar_amount": 105.0,
    "reference_price": 10.5,
    "opened_date": date(2024, 11, 29),
    "entry_price": 10.5,
    "quantile_10": None,
    "quantile_50": None,
    "quantile_90": None,
    "reason": "",
    "model_version": "abc",
    "bars_version": 4,
    "frozen": False,
    "held": 0.0,
    "security_id": "",
}
ORDER = {
    "portfolio_id": "p-1",
    "date": date(2024, 11, 27),
    "client_order_id": "p-1-AAA-open",
    "ticker": "AAA",
    "side": "buy",
    "leg": "open",
    "quantity": 10.0,
    "reference_price": 10.5,
    "order_type": "market",
    "time_in_force": "opg",
    "state": "planned",
    "broker_order_id": None,
    "filled_quantity": 0.0,
    "filled_average_price": None,
    "reason": "",
    "updated_at": datetime(2024, 11, 27, 21, tzinfo=UTC),
    "adjustment": "none",
}
MEMBER = {
    "date": date(2024, 11, 27),
    "security_id": None,
    "ticker": "AAA",
    "security_type": "CS",
    "sector": None,
    "median_dollar_volume": 2.5e7,
    "rank": 1,
    "member": True,
}
DEFAULTS: dict[str, dict[str, str | bool | float]] = {
    "portfolios": {"frozen": False, "held": 0.0, "security_id": ""},
    "orders": {"adjustment": "none"},
}

CASES = {
    "equity_bars": Case(
        equity_bars.EQUITY_BARS_SCHEMA, equity_bars.validate, equity_bars.empty, two(BAR, ticker="BBB")
    ),
    "equity_details": Case(
        equity_details.EQUITY_DETAILS_SCHEMA, equity_details.validate, equity_details.empty, two(DETAILS, ticker="BBB")
    ),
    "splits": Case(
        corporate_actions.SPLITS_SCHEMA,
        corporate_actions.validate_splits,
        corporate_actions.empty_splits,
        two(SPLIT, ticker="BBB"),
    ),
    "dividends": Case(
        corporate_actions.DIVIDENDS_SCHEMA,
        corporate_actions.validate_dividends,
        corporate_actions.empty_dividends,
        two(DIVIDEND, ticker="BBB"),
    ),
    "predictions": Case(
        predictions.PREDICTIONS_SCHEMA, predictions.validate, predictions.empty, two(PREDICTION, ticker="BBB")
    ),
    "portfolios": Case(
        portfolios.PORTFOLIOS_SCHEMA, portfolios.validate, portfolios.empty, two(POSITION, ticker="BBB")
    ),
    "orders": Case(
        orders.ORDERS_SCHEMA, orders.validate, orders.empty, two(ORDER, client_order_id="p-1-BBB-open", ticker="BBB")
    ),
    "universe": Case(universe.UNIVERSE_SCHEMA, universe.validate, universe.empty, two(MEMBER, ticker="BBB", rank=2)),
}

BAND = {"quantile_10": -0.1, "quantile_50": 0.0, "quantile_90": 0.1}
NAN, INFINITY = float("nan"), float("inf")
FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("equity_bars", {"ticker": "  "}, "ticker_not_blank"),
    ("equity_bars", {"date": date(2024, 11, 28)}, "date_is_session"),
    ("equity_bars", {"date": date(1980, 1, 2)}, "date_is_session"),
    ("equity_bars", {"timestamp": datetime(2024, 11, 27, 20, tzinfo=UTC)}, "timestamp_is_session_close"),
    ("equity_bars", {"open": 0.0}, "open_positive"),
    ("equity_bars", {"high": INFINITY}, "high_positive"),
    ("equity_bars", {"low": -1.0}, "low_positive"),
    ("equity_bars", {"close": -0.01}, "close_positive"),
    ("equity_bars", {"open": 8.0}, "low_at_most_open"),
    ("equity_bars", {"close": 8.0}, "low_at_most_close"),
    ("equity_bars", {"open": 12.0}, "open_at_most_high"),
    ("equity_bars", {"close": 12.0}, "close_at_most_high"),
    ("equity_bars", {"volume": -1.0}, "volume_not_negative"),
    ("equity_bars", {"volume": INFINITY}, "volume_not_negative"),
    ("equity_bars", {"volume_weighted_average_price": 0.0}, "volume_weighted_average_price_positive"),
    ("equity_bars", {"volume_weighted_average_price": 11.2}, "volume_weighted_average_price_in_range"),
    ("equity_bars", {"transactions": -1}, "transactions_not_negative"),
    ("equity_bars", {"volume": 0.0, "transactions": 3}, "no_transactions_without_volume"),
    ("equity_bars", {"transactions": 0}, "no_volume_without_transactions"),
    ("equity_bars", {"ticker": " AAB"}, "ticker_without_strange_characters"),
    ("equity_bars", {"ticker": "AAB\t"}, "ticker_without_strange_characters"),
    ("equity_bars", {"ticker": "\x00AB^"}, "ticker_without_strange_characters"),
    ("equity_bars", {"ticker": "A\u200bB"}, "ticker_without_strange_characters"),
    ("equity_details", {"ticker": ""}, "ticker_not_blank"),
    ("equity_details", {"source": ""}, "source_not_blank"),
    ("universe", {"ticker": ""}, "ticker_not_blank"),
    ("universe", {"median_dollar_volume": -1.0}, "not_negative"),
    ("universe", {"rank": 0}, "starts_at_one"),
    ("splits", {"ticker": ""}, "ticker_not_blank"),
    ("splits", {"split_from": 0.0}, "split_from_positive"),
    ("splits", {"split_to": INFINITY}, "split_to_positive"),
    ("dividends", {"ticker": ""}, "ticker_not_blank"),
    ("dividends", {"cash_amount": 0.0}, "cash_amount_positive"),
    ("predictions", {"ticker": ""}, "ticker_not_blank"),
    ("predictions", {"model_version": ""}, "model_version_not_blank"),
    ("predictions", {"horizon": 0}, "horizon_in_range"),
    ("predictions", {"horizon": 8}, "horizon_in_range"),
    ("predictions", {"target_date": date(2024, 11, 27)}, "target_date_after_date"),
    ("predictions", {"quantile_10": -1.0}, "quantile_10_above_minus_one"),
    ("predictions", {"quantile_50": INFINITY}, "quantile_50_above_minus_one"),
    ("predictions", {"quantile_90": INFINITY}, "quantile_90_above_minus_one"),
    ("predictions", {"quantile_10": 0.01}, "quantiles_ordered"),
    ("predictions", {"quantile_90": -0.01}, "quantiles_ordered"),
    ("portfolios", {"portfolio_id": ""}, "portfolio_id_not_blank"),
    ("portfolios", {"ticker": ""}, "ticker_not_blank"),
    ("portfolios", {"side": "flat"}, "side_known"),
    ("portfolios", {"action": "sell"}, "action_known"),
    ("portfolios", {"held": -10.0}, "held_not_negative"),
    ("portfolios", {"quantity": -10.0}, "quantity_not_negative"),
    ("portfolios", {"action": "close"}, "closed_holds_nothing"),
    ("portfolios", {"dollar_amount": -105.0}, "dollar_amount_not_negative"),
    ("portfolios", {"reference_price": 0.0}, "reference_price_positive"),
    ("portfolios", {"entry_price": 0.0}, "entry_price_positive"),
    ("portfolios", {"dollar_amount": 105.02}, "dollar_amount_is_quantity_times_price"),
    ("portfolios", {**BAND, "quantile_10": -1.5}, "quantile_10_above_minus_one"),
    ("portfolios", {**BAND, "quantile_50": INFINITY}, "quantile_50_above_minus_one"),
    ("portfolios", {**BAND, "quantile_90": INFINITY}, "quantile_90_above_minus_one"),
    ("portfolios", {**BAND, "quantile_50": 0.2}, "quantiles_ordered"),
    ("orders", {"portfolio_id": ""}, "portfolio_id_not_blank"),
    ("orders", {"ticker": ""}, "ticker_not_blank"),
    ("orders", {"client_order_id": "x" * 49}, "client_order_id_fits"),
    ("orders", {"client_order_id": "with space"}, "client_order_id_fits"),
    ("orders", {"side": "short"}, "side_known"),
    ("orders", {"leg": "middle"}, "leg_known"),
    ("orders", {"order_type": "limit"}, "order_type_known"),
    ("orders", {"time_in_force": "gtc"}, "time_in_force_known"),
    ("orders", {"state": "lost"}, "state_known"),
    ("orders", {"adjustment": "halved"}, "adjustment_known"),
    ("orders", {"quantity": -1.0}, "quantity_not_negative"),
    ("orders", {"reference_price": 0.0}, "reference_price_positive"),
    ("orders", {"filled_quantity": -1.0}, "filled_quantity_not_negative"),
    ("orders", {"filled_quantity": 11.0, "filled_average_price": 10.0}, "filled_at_most_quantity"),
    ("orders", {"filled_quantity": 1.0, "filled_average_price": 0.0}, "filled_average_price_positive"),
    ("orders", {"filled_quantity": 1.0}, "fill_has_price"),
]


def failures(name: str, frame: pl.DataFrame) -> list[str]:
    """The sentences with which the schema refuses the frame."""
    with pytest.raises(SchemaError) as raised:
        CASES[name].validate(frame)
    assert raised.value.detail.startswith(name)
    return raised.value.failures


@pytest.mark.parametrize("name", CASES)
def test_sound_rows_pass(name: str) -> None:
    """Sound and empty frames come back as they are, whatever the order of their columns."""
    case = CASES[name]
    sound = case.frame()
    assert case.validate(sound.select(reversed(sound.columns))).equals(sound)
    assert case.validate(case.empty()).equals(sound.clear())


@pytest.mark.parametrize(("name", "fault", "check"), FAULTS)
def test_a_planted_row_is_reported(name: str, fault: dict[str, Any], check: str) -> None:
    """The check is named, with the one bad row's key."""
    found = [sentence for sentence in failures(name, CASES[name].frame(**fault)) if f": {check} fails" in sentence]
    assert len(found) == 1
    assert "in 1 rows" in found[0]
    assert CASES[name].frame(**fault).item(1, "ticker") in found[0]
    assert "AAA" not in found[0].replace("p-1-AAA", "")


def test_every_rule_is_planted() -> None:
    """No schema has a check that the table above leaves out."""
    checks = {(name, rule.name) for name, case in CASES.items() for rule in case.schema.rules}
    assert checks == {(name, check) for name, _, check in FAULTS}


@pytest.mark.parametrize("name", CASES)
def test_missing_values_are_reported(name: str) -> None:
    """A null in any column that may not have one, and NaN among floats, is named with its column."""
    case = CASES[name]
    for column in case.schema.columns:
        if column in case.schema.nullable:
            continue
        assert f"column {column}: not_nullable fails in 1 rows" in "; ".join(
            failures(name, case.frame(**{column: None}))
        )
        if case.empty().schema[column] == pl.Float64:
            assert f"column {column}: " in "; ".join(failures(name, case.frame(**{column: NAN})))


@pytest.mark.parametrize("name", CASES)
def test_duplicate_keys_are_reported(name: str) -> None:
    """The same key twice is refused."""
    sound = CASES[name].frame()
    assert any(
        "multiple_fields_uniqueness fails in 2 rows" in one for one in failures(name, pl.concat([sound, sound[:1]]))
    )


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_structure_is_reported(name: str) -> None:
    """A missing, an unknown and a mistyped column: each in one sentence, without the echo of checks that cannot run."""
    sound = CASES[name].frame()
    for column in sound.columns:
        if column not in DEFAULTS.get(name, {}):
            assert failures(name, sound.drop(column)) == [f"missing column {column}"]
        wrong = sound.with_columns(pl.lit(b"x").alias(column))
        assert failures(name, wrong) == [f"column {column} is Binary, not {sound.schema[column]}"]
    assert failures(name, sound.with_columns(extra=pl.lit(1))) == ["unexpected column extra"]


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_columns_are_filled_in(name: str) -> None:
    """A producer that does not write a newer column yet gets its default; one that does keeps its values."""
    sound, defaults = CASES[name].frame(), DEFAULTS[name]
    assert CASES[name].validate(sound.drop(*defaults)).equals(sound)
    changed = sound.with_columns(frozen=True) if name == "portfolios" else sound.with_columns(adjustment=pl.lit("cut"))
    assert CASES[name].validate(changed).equals(changed)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (orders.SIDES, OrderSide),
        (orders.LEGS, Leg),
        (orders.TIMES_IN_FORCE, TimeInForce),
        (orders.STATES, OrderState),
        (orders.ADJUSTMENTS, Adjustment),
        (portfolios.SIDES, Side),
        (portfolios.ACTIONS, Action),
    ],
)
def test_choices_are_the_trading_core_s_words(choices: tuple[str, ...], words: type[StrEnum]) -> None:
    """What a stored column may hold is exactly what the trading core's enum can say."""
    assert choices == tuple(words)


def test_lazy_frames_are_refused() -> None:
    """Pandera would check a LazyFrame's types only, so it does not get one."""
    with pytest.raises(TypeError, match="collected"):
        equity_bars.validate(cast("pl.DataFrame", CASES["equity_bars"].frame().lazy()))


def test_early_close_counts() -> None:
    """The day after Thanksgiving closes at 18:00 UTC, and 21:00 is wrong for it."""
    early = {"date": date(2024, 11, 29), "timestamp": datetime(2024, 11, 29, 18, tzinfo=UTC)}
    assert CASES["equity_bars"].validate(CASES["equity_bars"].frame(**early)).height == 2
    late = {**early, "timestamp": datetime(2024, 11, 29, 21, tzinfo=UTC)}
    assert "timestamp_is_session_close" in failures("equity_bars", CASES["equity_bars"].frame(**late))[0]


@pytest.mark.parametrize("fault", [one for one in FAULTS if one[0] == "equity_bars"])
def test_split_gives_one_reason(fault: tuple[str, dict[str, Any], str]) -> None:
    """The quarantine gets the bad row alone, with the first check that it breaks."""
    good, bad = equity_bars.split_valid(CASES["equity_bars"].frame(**fault[1]))
    assert good.get_column("ticker").to_list() == ["AAA"]
    assert bad.height == 1
    broken = {sentence.split(": ")[1].split(" fails")[0] for sentence in failures("equity_bars", bad.drop("reason"))}
    assert bad.item(0, "reason") in broken


def test_split_names_missing_values_and_doubles() -> None:
    """A null price is `open_missing`; both rows of a duplicate key go, since it is unknown which is right."""
    frame = CASES["equity_bars"].frame(open=None)
    doubled = pl.concat([frame, frame[:1].with_columns(close=pl.lit(10.0)), frame[:1].with_columns(ticker=pl.lit("C"))])
    good, bad = equity_bars.split_valid(doubled)
    assert good.get_column("ticker").to_list() == ["C"]
    assert sorted(bad.get_column("reason")) == ["duplicate_key", "duplicate_key", "open_missing"]


def test_split_refuses_a_wrong_structure() -> None:
    """When a column is missing, no single row is to blame."""
    with pytest.raises(SchemaError, match="missing column open"):
        equity_bars.split_valid(CASES["equity_bars"].frame().drop("open"))


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([9.0, 10.0, 11.0]))
bars = st.fixed_dictionaries(
    {
        "ticker": st.sampled_from(["A", "B", "C", "", None]),
        "date": st.sampled_from([BAR["date"], date(2024, 11, 28), None]),
        "timestamp": st.sampled_from([BAR["timestamp"], datetime(2024, 11, 27, tzinfo=UTC), None]),
        **dict.fromkeys(["open", "high", "low", "close", "volume", "volume_weighted_average_price"], numbers),
        "transactions": st.sampled_from([None, -1, 5]),
    }
)


@settings(max_examples=20, deadline=None)  # bad rows are validated one by one; a slow moment is no failure
@given(st.lists(bars, max_size=5))
def test_split_loses_and_lets_through_nothing(rows: list[dict[str, Any]]) -> None:
    """On any rows: what is good validates, what is bad has a reason and does not, and together they are all."""
    frame = pl.DataFrame(rows, schema=equity_bars.COLUMNS)
    good, bad = equity_bars.split_valid(frame)
    assert equity_bars.validate(good).equals(good)
    assert good.height + bad.height == frame.height
    assert bad.get_column("reason").null_count() == 0
    for row in bad.filter(pl.col("reason") != "duplicate_key").drop("reason").iter_slices(1):
        assert failures("equity_bars", row)


@settings(max_examples=40, deadline=None)  # as above
@given(st.lists(bars, max_size=5))
def test_quick_check_agrees_with_pandera(rows: list[dict[str, Any]]) -> None:
    """On any rows: a frame is sound exactly where pandera finds nothing."""
    schema, frame = CASES["equity_bars"].schema, pl.DataFrame(rows, schema=equity_bars.COLUMNS)
    sound = is_sound(frame, schema)
    if sound:
        require_sound(frame, schema)
    else:
        with pytest.raises(SchemaError):
            require_sound(frame, schema)
