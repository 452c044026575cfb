"""The forecaster: bars in, the contract's frame out, every kind of model through the same class, and no look-ahead."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from threading import get_ident
from typing import IO

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tinygrad import Tensor

from internal.baselines.catalogue import BASELINES
from internal.dates import next_session, sessions
from internal.errors import ArtifactError, InvalidRequestError, SchemaError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecasting.artifact import Artifact, load_artifact, save_artifact
from internal.forecasting.calibration import Calibration
from internal.forecasting.forecaster import Forecaster
from internal.forecasting.quantiles import QUANTILES
from internal.model_registry import load_forecaster
from internal.schemas import predictions
from internal.scratch_arrays import scratch_folder
from internal.tft.network_model import KIND, NetworkModel, encode_configuration
from libraries.python.tests.untrained_network import make_untrained_network

MakeBars = Callable[[int, date, date], pl.DataFrame]
MakeDetails = Callable[[int], pl.DataFrame]
START, END = date(2022, 6, 1), date(2024, 6, 28)
DAY = date(2024, 3, 15)
TICKERS = 5
TILT = np.array([-1e-3, 0.0, 1e-3])  # pooled quantiles of returns are never all one number


@pytest.fixture(name="bars", scope="module")
def _bars(make_bars: MakeBars) -> pl.DataFrame:
    return make_bars(TICKERS, START, END)


@pytest.fixture(name="details", scope="module")
def _details(make_details: MakeDetails) -> pl.DataFrame:
    return make_details(TICKERS)


@pytest.fixture(name="observed", scope="module")
def _observed(bars: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    return observe(build_panel(bars, details, end=DAY).frame)


@pytest.fixture(name="network", scope="module")
def _network(observed: pl.DataFrame) -> NetworkModel:
    """A small network with its first, untrained weights."""
    return make_untrained_network(observed, START)


def _network_artifact(network: NetworkModel) -> Artifact:
    return Artifact(
        kind=KIND,
        arrays=network.arrays(),
        configuration={"size": "small", "network": encode_configuration(network.configuration)},
        scaler=network.scaler.to_json(),
        vocabulary={name: list(one.names) for name, one in network.vocabularies.items()},
        metrics={},
        bars_version=0,
        code_revision="test",
    )


def _baseline_artifact(observed: pl.DataFrame, kind: str) -> Artifact:
    fitted = BASELINES[kind].fit(observed, fold=Block(START, date(2023, 12, 29)))
    return Artifact(kind, fitted.to_arrays(), {"size": kind}, {}, {}, {}, 0, "test")


@pytest.fixture(name="forecaster", scope="module", params=[KIND, *BASELINES])
def _forecaster(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    network: NetworkModel,
    observed: pl.DataFrame,
) -> Forecaster:
    """Each kind of model, saved and loaded."""
    artifact = _network_artifact(network) if request.param == KIND else _baseline_artifact(observed, request.param)
    folder = tmp_path_factory.mktemp(request.param) / "artifact"
    save_artifact(folder, artifact)
    return load_forecaster(folder)


def test_frame_is_the_contracts(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """Seven rows a ticker, target dates on the calendar, ordered quantiles above -1, versions written in."""
    forecast = forecaster.forecast(bars, details, DAY, bars_version=9)
    frame = predictions.validate(forecast.frame)
    assert frame.height == TICKERS * 7
    assert frame.filter(pl.col("ticker") == "T03")["target_date"].to_list() == [
        next_session(DAY, step) for step in range(1, 8)
    ]
    assert frame.select(pl.col("date", "model_version", "bars_version").unique()).row(0) == (
        DAY,
        forecaster.model_version,
        9,
    )
    assert forecast.excluded == []


@pytest.mark.parametrize("poison", [None, float("nan"), 1e9])
def test_later_bars_change_no_bit(
    forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame, poison: float | None
) -> None:
    """Forecasts at t with later rows removed, NaN or 1e9 are equal to the bit."""
    later = pl.col("date") > DAY
    prices = [
        pl.when(later).then(poison).otherwise(pl.col(name)).alias(name) for name in ("open", "high", "low", "close")
    ]
    changed = bars.filter(~later) if poison is None else bars.with_columns(prices)
    expected = forecaster.forecast(bars, details, DAY, bars_version=0).frame
    assert forecaster.forecast(changed, details, DAY, bars_version=0).frame.equals(expected)


def test_a_split_changes_little(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """A 20-for-1 adjustment of the whole history leaves returns, and so forecasts, as they were."""
    split = bars.with_columns(
        *(pl.col(name) / 20 for name in ("open", "high", "low", "close", "volume_weighted_average_price")),
        volume=pl.col("volume") * 20,
    )
    one, two = (forecaster.forecast(source, details, DAY, bars_version=0).frame for source in (bars, split))
    assert one["quantile_10"].to_numpy() == pytest.approx(two["quantile_10"].to_numpy(), abs=1e-5)


def test_excluded_with_reasons(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """A new listing, a halt on the day, a ticker that is gone, one of rubbish: each left out, none an error."""
    ticker, day = pl.col("ticker"), pl.col("date")
    recent = sessions(date(2023, 12, 1), DAY)[-62:]
    changed = bars.filter(
        ~((ticker == "T00") & ~day.is_in(recent))
        & ~((ticker == "T01") & (day == DAY))
        & ~((ticker == "T02") & (day > date(2023, 5, 1)))
    ).with_columns(volume=pl.when(ticker == "T03").then(0.0).otherwise(pl.col("volume")))
    forecast = forecaster.forecast(changed, details, DAY, bars_version=0)
    assert forecast.frame["ticker"].unique().to_list() == ["T04"]
    assert forecast.excluded == [
        ("T00", "62 sessions of unbroken history, 63 are needed"),
        ("T01", "no trade on 2024-03-15, the last was on 2024-03-14"),
        ("T02", "no trade on 2024-03-15, the last was on 2023-05-01"),
        ("T03", "no usable bar: prices or volumes are missing, absurd or zero"),
    ]


def test_return_of_eleven_thousand(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """A tick of +11,919 is counted in the panel's report, and the forecasts are those without that bar, bit for bit."""
    there, ordered = (pl.col("ticker") == "T02") & (pl.col("date") == date(2024, 3, 8)), bars.sort("ticker", "date")
    factor = 11_920 * pl.col("close").shift(1) / pl.col("close")
    prices = [pl.col(name) * pl.when(there).then(factor).otherwise(1.0) for name in ("open", "high", "low", "close")]
    tick = ordered.with_columns(prices)
    returns = tick.select(pl.col("close") / pl.col("close").shift(1).over("ticker") - 1).to_series().drop_nulls()
    assert returns.max() == pytest.approx(11_919)
    report = build_panel(tick, details, end=DAY).report
    assert (report.set_aside["absurd_price"], report.filled_sessions, report.segments) == (1, 1, TICKERS)
    found = forecaster.forecast(tick, details, DAY, bars_version=0)
    assert (found.frame.height, found.excluded) == (TICKERS * 7, [])
    assert found.frame.equals(forecaster.forecast(ordered.filter(~there), details, DAY, bars_version=0).frame)


def test_unseen_ticker_is_forecast(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """A ticker outside every vocabulary gets a forecast through the unknown number."""
    renamed = bars.with_columns(ticker=pl.col("ticker").replace({"T04": "NEW"}))
    forecast = forecaster.forecast(renamed, details, DAY, bars_version=0)
    assert forecast.frame.filter(pl.col("ticker") == "NEW").height == 7


def test_no_ticker_left(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """When every ticker is too young the frame is empty and typed, and all are named."""
    young = bars.filter(pl.col("date") > date(2024, 3, 1))
    forecast = forecaster.forecast(young, details, DAY, bars_version=0)
    assert forecast.frame.schema == predictions.empty().schema
    assert (forecast.frame.height, len(forecast.excluded)) == (0, TICKERS)


def test_bad_requests(forecaster: Forecaster, bars: pl.DataFrame, details: pl.DataFrame) -> None:
    """A Saturday, no bars at all, bars without volume: one sentence each."""
    with pytest.raises(InvalidRequestError, match="not a session"):
        forecaster.forecast(bars, details, date(2024, 3, 16), bars_version=0)
    with pytest.raises(InvalidRequestError, match="models collect"):
        forecaster.forecast(bars.clear(), details, DAY, bars_version=0)
    with pytest.raises(SchemaError, match="volume"):
        forecaster.forecast(bars.drop("volume"), details, DAY, bars_version=0)


def test_arrays_of_both_threads_are_in_files(
    network: NetworkModel, observed: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a training, the thread that computes the scales holds its arrays in files as well; no number changes."""
    origins, threads = find_origins(observed, Block(DAY, DAY)), set[int]()
    in_memory = network.quantiles(observed, origins)

    def open_file(**options: Path) -> IO[bytes]:
        threads.add(get_ident())
        return TemporaryFile(dir=options["dir"])

    monkeypatch.setattr("internal.scratch_arrays.TemporaryFile", open_file)
    monkeypatch.setattr("internal.scratch_arrays.SMALLEST_FILE", 0)
    with scratch_folder(tmp_path / "scratch"):
        in_files = network.quantiles(observed, origins)
    assert get_ident() in threads
    assert len(threads) == 2
    assert np.array_equal(in_files.cumulative, in_memory.cumulative)
    assert np.array_equal(in_files.daily, in_memory.daily)


def test_network_quantiles_are_its_own(network: NetworkModel, observed: pl.DataFrame) -> None:
    """The forecaster multiplies by volatility x sqrt(step), nothing else: undone, the network's own output is there."""
    origins = np.array([300, 310], np.int64)
    quantiles = network.predict(observed, origins)
    scale = observed["volatility"].to_numpy()[origins][:, None, None] * np.sqrt(np.arange(1, 8))[None, :, None]
    assert (np.diff(quantiles / scale, axis=2) > 0).all()
    assert quantiles.shape == (2, 7, len(QUANTILES))


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_quantiles_never_cross(network: NetworkModel, observed: pl.DataFrame, data: st.DataObject) -> None:
    """Whatever weights, calibration and pooled quantiles are: network, mixture, widened interval, simple returns."""
    size, factor = st.floats(-30, 30), st.floats(1e-6, 1e3)
    ordered = hnp.arrays(np.float64, (7, 3), elements=st.floats(-4, 4)).map(lambda table: np.sort(table, axis=1) + TILT)
    shift, lower, upper = (data.draw(hnp.arrays(np.float64, 7, elements=one)) for one in (size, factor, factor))
    scale = replace(network.scale, daily=data.draw(ordered), cumulative=data.draw(ordered))
    model = replace(network, calibration=Calibration(np.stack([shift, lower, upper])), scale=scale)
    heads = [one.head.parameters for one in (network.network, *network.companions)]
    before = [head.numpy().copy() for head in heads]

    def assign(arrays: list[np.ndarray]) -> None:  # the factor in NumPy: tinygrad would compile a kernel for each one
        Tensor.realize(*[head.assign(Tensor(array)) for head, array in zip(heads, arrays, strict=True)])

    assign([array * np.float32(data.draw(size)) for array in before])
    try:
        found = model.quantiles(observed, np.array([300, 650, 1200]))
    finally:
        assign(before)
    for quantiles in (found.cumulative, found.daily, np.expm1(found.cumulative)):
        assert np.isfinite(quantiles).all()
        assert (np.diff(quantiles, axis=2) >= 0).all()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ({"kind": "crystal_ball"}, "crystal_ball"),
        ({"scaler": {}}, "scaler"),
        ({"vocabulary": {"ticker": ["A"], "sector": ["B"], "industry": ["C"]}}, "vocabularies"),
        ({"configuration": {"network": {"hidden_size": 16}}}, "does not fit"),
        ({"configuration": {}}, "does not fit"),
    ],
)
def test_incompatible_network(tmp_path: Path, network: NetworkModel, damage: dict[str, object], sentence: str) -> None:
    """Another kind, scaler, vocabulary or configuration is refused with the reason."""
    save_artifact(tmp_path / "artifact", replace(_network_artifact(network), **damage))  # type: ignore[arg-type] # damaged on purpose
    with pytest.raises(ArtifactError, match=sentence):
        load_forecaster(tmp_path / "artifact")


def test_other_variables_are_refused(tmp_path: Path, network: NetworkModel) -> None:
    """A network of other variables than this code observes is refused."""
    artifact = _network_artifact(network)
    stored = encode_configuration(network.configuration) | {"observed_variables": ["open", "moon"]}
    save_artifact(tmp_path / "artifact", replace(artifact, configuration={"network": stored}))
    with pytest.raises(ArtifactError, match="moon"):
        load_forecaster(tmp_path / "artifact")


def test_missing_weight_is_refused(tmp_path: Path, network: NetworkModel) -> None:
    """A weight that is not there is named."""
    artifact = _network_artifact(network)
    name = min(set(artifact.arrays) - {"calibration"})
    arrays = {other: array for other, array in artifact.arrays.items() if other != name}
    save_artifact(tmp_path / "artifact", replace(artifact, arrays=arrays))
    with pytest.raises(ArtifactError, match=name):
        load_forecaster(tmp_path / "artifact")


def test_not_a_number_is_refused(
    tmp_path: Path, network: NetworkModel, bars: pl.DataFrame, details: pl.DataFrame
) -> None:
    """Weights that are no numbers give an error, not a frame of rubbish; those of HAR when they are loaded."""
    artifact = _network_artifact(network)
    damaged = {name: np.full_like(array, np.nan) for name, array in artifact.arrays.items() if name != "calibration"}
    scale = {name: array for name, array in damaged.items() if name.startswith("scale.")}
    save_artifact(tmp_path / "scale", replace(artifact, arrays={**artifact.arrays, **scale}))
    with pytest.raises(ArtifactError, match="holds what is no number: train again"):
        load_forecaster(tmp_path / "scale")
    weights = {name: array for name, array in damaged.items() if name not in scale}
    save_artifact(tmp_path / "artifact", replace(artifact, arrays={**artifact.arrays, **weights}))
    with pytest.raises(ArtifactError, match="not finite"):
        load_forecaster(tmp_path / "artifact").forecast(bars, details, DAY, bars_version=0)


def test_saved_network_is_the_network(tmp_path: Path, network: NetworkModel, observed: pl.DataFrame) -> None:
    """Saved and loaded, it forecasts the same bits."""
    save_artifact(tmp_path / "artifact", _network_artifact(network))
    restored = NetworkModel.from_artifact(load_artifact(tmp_path / "artifact"))
    origins = np.arange(100, 140)
    assert restored.predict(observed, origins).tobytes() == network.predict(observed, origins).tobytes()


@pytest.mark.parametrize("values", [None, np.zeros((3, 7)), np.ones((3, 6)), np.full((3, 7), np.nan)])
def test_damaged_calibration(tmp_path: Path, network: NetworkModel, values: np.ndarray | None) -> None:
    """A calibration that is missing, flat, of another shape or no number is refused."""
    artifact = _network_artifact(network)
    arrays = {name: array for name, array in artifact.arrays.items() if name != "calibration"}
    damaged = arrays if values is None else arrays | {"calibration": values}
    save_artifact(tmp_path / "artifact", replace(artifact, arrays=damaged))
    with pytest.raises(ArtifactError, match="calibration"):
        load_forecaster(tmp_path / "artifact")
