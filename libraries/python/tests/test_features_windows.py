"""Scaler, vocabulary and windows: against loops by hand, and bit-equal whatever comes later."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.dates import next_session, sessions
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES, known_frame, observe
from internal.features.vocabulary import Vocabulary, vocabularies_from_json
from internal.features.windows import Windows, find_origins, lay_out, make_windows

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, END = date(2023, 1, 3), date(2024, 6, 28)
FOLD = Block(START, date(2023, 12, 29))


def _vocabularies(frame: pl.DataFrame) -> dict[str, Vocabulary]:
    return {variable: Vocabulary.fit(frame.get_column(variable)) for variable in STATIC_VARIABLES}


@pytest.fixture(name="observed")
def _observed(make_bars: MakeBars, make_details: MakeDetails) -> pl.DataFrame:
    return observe(build_panel(make_bars(3, START, END), make_details(3), end=END).frame)


@pytest.fixture(name="windows")
def _windows(observed: pl.DataFrame) -> Windows:
    return make_windows(observed, Scaler.fit(observed, fold=FOLD), _vocabularies(observed), block=Block(START, END))


def test_shapes_and_types(windows: Windows) -> None:
    """The model's inputs: f32 [batch, 35, past], f32 [batch, 7, known], i32 [batch, static], f32 [batch, 7]."""
    batch = windows.batch(np.arange(5))
    shapes = {
        name: (getattr(batch, name).shape, str(getattr(batch, name).dtype)) for name in ("past", "future", "target")
    }
    past = len(OBSERVED_VARIABLES) + len(KNOWN_VARIABLES)
    assert shapes == {
        "past": ((5, 35, past), "float32"),
        "future": ((5, 7, len(KNOWN_VARIABLES)), "float32"),
        "target": ((5, 7), "float32"),
    }
    assert (batch.static.shape, str(batch.static.dtype)) == ((5, 3), "int32")


def test_one_window_by_hand(observed: pl.DataFrame, windows: Windows) -> None:
    """A window in the middle, taken with Polars filters instead of strides."""
    place = 250
    row = observed.row(int(windows.origins[place]), named=True)
    days = sessions(START, END)
    at = days.index(row["date"])
    mine = observed.filter(pl.col("ticker") == row["ticker"])
    past = mine.filter(pl.col("date").is_in(days[at - 34 : at + 1]))
    ahead = mine.filter(pl.col("date").is_in(days[at + 1 : at + 8]))
    batch = windows.batch(np.array([place]))
    assert batch.past[0, :, 3] == pytest.approx(past["past_close"].to_numpy() / row["volatility"], rel=1e-5)
    target = np.log(ahead["close"].to_numpy() / row["close"]) / (row["volatility"] * np.sqrt(np.arange(1, 8)))
    assert batch.target[0] == pytest.approx(target, rel=1e-5)
    known = known_frame(days[at + 1], days[at + 7]).drop("date").to_numpy()
    assert batch.future[0] == pytest.approx(known, rel=1e-6)
    assert batch.past[0, -1, len(OBSERVED_VARIABLES) :] == pytest.approx(
        known_frame(days[at], days[at]).drop("date").to_numpy()[0]
    )


def test_every_origin_is_labelled_and_has_history(observed: pl.DataFrame, windows: Windows) -> None:
    """63 sessions behind, 7 ahead, for each of three tickers; no window crosses tickers."""
    assert len(windows) == 3 * (len(sessions(START, END)) - 62 - 7)
    assert np.isfinite(windows.batch(np.arange(len(windows))).target).all()
    origins = observed[windows.origins]
    assert origins.get_column("age").to_numpy().min() == 62
    assert origins.get_column("date").max() == sessions(START, END)[-8]


def test_last_session_can_be_forecast_from(observed: pl.DataFrame) -> None:
    """At the panel's end the future is the calendar's, past the last bar, and the target is unknown."""
    windows = lay_out(observed, Scaler.fit(observed, fold=FOLD), _vocabularies(observed)).at(
        find_origins(observed, Block(END, END))
    )
    batch = windows.batch(np.arange(3))
    expected = known_frame(next_session(END), next_session(END, 7)).drop("date").to_numpy()
    assert batch.future[2] == pytest.approx(expected, rel=1e-6)
    assert np.isnan(batch.target).all()


def test_delisted_ticker_has_no_label_past_its_last_trade(make_bars: MakeBars, make_details: MakeDetails) -> None:
    """The flat sessions that follow a last trade are no returns: the last label ends at the last trade."""
    gone = date(2024, 3, 1)
    bars = make_bars(1, START, END).filter(pl.col("date") <= gone)
    frame = observe(build_panel(bars, make_details(1), end=END).frame)
    windows = make_windows(frame, Scaler.fit(frame, fold=FOLD), _vocabularies(frame), block=Block(START, END))
    last = frame[windows.origins].get_column("date").max()
    assert isinstance(last, date)
    assert next_session(last, 7) == gone


@pytest.mark.parametrize("poison", ["removed", "nan", "1e9", "doubled", "no volume"])
def test_nothing_later_changes_a_bit(make_bars: MakeBars, make_details: MakeDetails, poison: str) -> None:
    """Every window at t, scaled by a scaler of the training fold, is bit-equal with later rows removed or poisoned."""
    day, bars, details = date(2024, 3, 15), make_bars(4, START, END), make_details(4)
    later, prices = pl.col("date") > day, ("open", "high", "low", "close")
    changed = {
        "removed": lambda: bars.filter(~later),
        "nan": lambda: bars.with_columns(
            pl.when(later).then(float("nan")).otherwise(pl.col(price)).alias(price) for price in prices
        ),
        "1e9": lambda: bars.with_columns(
            pl.when(later).then(1e9).otherwise(pl.col(price)).alias(price) for price in prices
        ),
        "doubled": lambda: bars.with_columns(
            pl.when(later).then(pl.col(price) * 2).otherwise(pl.col(price)) for price in prices
        ),
        "no volume": lambda: bars.with_columns(volume=pl.when(later).then(0.0).otherwise(pl.col("volume"))),
    }[poison]()

    def arrays(source: pl.DataFrame) -> tuple[bytes, ...]:
        frame = observe(build_panel(source, details, end=END).frame)
        scaler, block = Scaler.fit(frame, fold=FOLD), Block(date(2024, 1, 2), day)
        windows = lay_out(frame, scaler, _vocabularies(frame)).at(find_origins(frame, block))
        batch = windows.batch(np.arange(len(windows)))
        scale = windows.scale(np.arange(len(windows)))
        return (
            batch.past.tobytes(),
            batch.future.tobytes(),
            batch.static.tobytes(),
            scale.tobytes(),
            repr(scaler).encode(),
        )

    assert arrays(changed) == arrays(bars)


def test_scaler_sees_the_fold_alone(observed: pl.DataFrame) -> None:
    """Its means are those of the fold, and it remembers the dates."""
    scaler = Scaler.fit(observed, fold=FOLD)
    inside = observed.filter(pl.col("date") <= FOLD.last)["past_daily_return"].drop_nulls().to_numpy()
    assert scaler.means[OBSERVED_VARIABLES.index("daily_return")] == pytest.approx(inside.mean())
    assert scaler.deviations[OBSERVED_VARIABLES.index("daily_return")] == pytest.approx(inside.std(ddof=1))
    assert (scaler.fitted_from, scaler.fitted_to) == (FOLD.first, FOLD.last)
    assert Scaler.from_json(scaler.to_json()) == scaler


def test_scaler_of_an_empty_fold(observed: pl.DataFrame) -> None:
    """A fold without rows is refused with its dates."""
    with pytest.raises(InvalidRequestError, match="2001-01-02"):
        Scaler.fit(observed, fold=Block(date(2001, 1, 2), date(2001, 2, 1)))


@pytest.mark.parametrize("damage", [{"variables": ["open"]}, {"means": None}, {"fitted_to": "yesterday"}])
def test_damaged_scaler(observed: pl.DataFrame, damage: dict[str, object]) -> None:
    """A stored scaler of other variables, without means or with a wrong date is refused."""
    with pytest.raises(ArtifactError, match="scaler"):
        Scaler.from_json(Scaler.fit(observed, fold=FOLD).to_json() | damage)


def test_vocabulary_is_stable() -> None:
    """Numbers follow the alphabet, whatever the order of the rows; unknown and null are 0."""
    fitted = Vocabulary.fit(pl.Series(["B", None, "A", "B", "C"]))
    assert fitted == Vocabulary.fit(pl.Series(["C", "A", "B"]))
    assert fitted.encode(pl.Series(["A", "Z", None, "C"])).tolist() == [1, 0, 0, 3]
    assert fitted.cardinality == 4


def test_vocabulary_of_nothing() -> None:
    """Where no sector is known, every ticker's is the unknown."""
    assert Vocabulary.fit(pl.Series([None, None], dtype=pl.String)).encode(pl.Series(["A", None])).tolist() == [0, 0]


def test_files_change_no_window(observed: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are equal to the bit when the arrays that they are cut from are in files, made a few rows at a time."""
    scaler, block = Scaler.fit(observed, fold=FOLD), Block(START, END)
    held = make_windows(observed, scaler, _vocabularies(observed), block=block)
    monkeypatch.setattr("internal.scratch_arrays.SMALLEST_FILE", 0)
    monkeypatch.setattr("internal.scratch_arrays.PART_ROWS", 100)
    windows, chosen = make_windows(observed, scaler, _vocabularies(observed), block=block), np.arange(len(held))[::5]
    for found, expected in zip(vars(windows.batch(chosen)).values(), vars(held.batch(chosen)).values(), strict=True):
        assert found.tobytes() == expected.tobytes()


def test_vocabulary_named_twice() -> None:
    """A stored vocabulary with a name twice would shift every number after it: refused."""
    with pytest.raises(ArtifactError, match="sector"):
        vocabularies_from_json({"sector": ["A", "A"]})


def test_no_rows(observed: pl.DataFrame) -> None:
    """An empty panel has no windows."""
    with pytest.raises(InvalidRequestError, match="no bar"):
        lay_out(observed.clear(), Scaler.fit(observed, fold=FOLD), _vocabularies(observed))
