"""Measures what a process can measure only once: `python -m benchmarks.once TASK [FOLDER]` prints JSON.

first-step: the first training step with the kernel cache that CACHEDB names. artifact FOLDER: an untrained model of the
published size, with 8,000 tickers in its vocabulary, and bars. windows: 592,000 bars to windows.
"""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from internal.dates import sessions_frame
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES, observe

END = date(2018, 6, 29)


def make_bars(tickers: int, sessions: int) -> pl.DataFrame:
    """Random walks: `tickers * sessions` bars, sorted by ticker and date, up to END."""
    calendar, random = sessions_frame(date(2014, 1, 2), END).tail(sessions), np.random.default_rng(1)
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.012, (tickers, sessions)), axis=1)).reshape(-1)
    opened = close * np.exp(random.normal(0, 0.004, close.size))
    names = pl.DataFrame({"ticker": [f"T{place:04}" for place in range(tickers)]})
    return names.join(calendar.select("date"), how="cross", maintain_order="left_right").with_columns(
        open=pl.Series(opened),
        high=pl.Series(np.maximum(close, opened) * 1.003),
        low=pl.Series(np.minimum(close, opened) * 0.997),
        close=pl.Series(close),
        volume=pl.Series(np.round(random.lognormal(14, 0.3, close.size))),
        volume_weighted_average_price=pl.Series((close + opened) / 2),
    )


def make_details(tickers: int) -> pl.DataFrame:
    """Eleven sectors in turn, and an industry for every hundred tickers."""
    names = [f"T{place:04}" for place in range(tickers)]
    sectors = [f"Sector {place % 11}" for place in range(tickers)]
    return pl.DataFrame(
        {"ticker": names, "sector": sectors, "industry": [f"Industry {place % 100}" for place in range(tickers)]}
    )


def measure_first_step() -> dict[str, float]:
    """Seconds of the first call of a training step, compilation included, and of a later one."""
    from tinygrad import Tensor  # noqa: PLC0415 (only this task pays for it)

    from benchmarks.engines import CARDINALITIES, KNOWN, OBSERVED, make_batch  # noqa: PLC0415 (as above)
    from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration  # noqa: PLC0415
    from internal.tft.training import TrainingConfiguration, make_training_step  # noqa: PLC0415 (as above)

    past, future, static, target = (Tensor(array).realize() for array in make_batch())
    model = TemporalFusionTransformer(TemporalFusionTransformerConfiguration(OBSERVED, KNOWN, CARDINALITIES))
    step, begin = make_training_step(model, TrainingConfiguration()), time.perf_counter()
    step(past, future, static, target)
    return {"first": time.perf_counter() - begin}


def make_artifact(folder: Path) -> dict[str, float]:
    """Save a model as training would, its weights as they are drawn, and the bars that are forecast from."""
    from internal.baselines.heterogeneous import AdaptiveVolatility  # noqa: PLC0415 (as above)
    from internal.features.scaling import Scaler  # noqa: PLC0415 (as above)
    from internal.features.vocabulary import Vocabulary  # noqa: PLC0415 (as above)
    from internal.forecasting.artifact import Artifact, save_artifact  # noqa: PLC0415 (as above)
    from internal.forecasting.calibration import Calibration  # noqa: PLC0415 (as above)
    from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration  # noqa: PLC0415
    from internal.tft.network_model import KIND, NetworkModel, encode_configuration  # noqa: PLC0415 (as above)

    bars, details = make_bars(8000, 320), make_details(8000)
    bars.write_parquet(folder / "bars.parquet")
    details.write_parquet(folder / "details.parquet")
    frame = observe(build_panel(bars.filter(pl.col("ticker") < "T0480"), details, end=END).frame)
    fold = Block(cast("date", frame["date"].min()), END)
    scaler, scale = Scaler.fit(frame, fold=fold), AdaptiveVolatility.fit(frame, fold=fold)
    vocabularies = {"ticker": Vocabulary.fit(details["ticker"])}
    vocabularies |= {name: Vocabulary.fit(details[name]) for name in STATIC_VARIABLES if name != "ticker"}
    cardinalities = tuple(vocabularies[name].cardinality for name in STATIC_VARIABLES)
    configuration = TemporalFusionTransformerConfiguration(OBSERVED_VARIABLES, KNOWN_VARIABLES, cardinalities)
    network = TemporalFusionTransformer(configuration)
    none = Calibration.none(configuration.horizon)
    model = NetworkModel(network, configuration, scaler, vocabularies, none, scale)
    save_artifact(
        folder / "artifact",
        Artifact(
            kind=KIND,
            arrays=model.arrays(),
            configuration={"network": encode_configuration(configuration)},
            scaler=scaler.to_json(),
            vocabulary={name: list(vocabulary.names) for name, vocabulary in vocabularies.items()},
            metrics={},
            bars_version=0,
            code_revision="benchmark",
        ),
    )
    return {}


def measure_windows() -> dict[str, float]:
    """Rows a second: from an observed panel to windows that can be gathered, and from raw bars; and a batch of 256."""
    from internal.features.scaling import Scaler  # noqa: PLC0415 (as above)
    from internal.features.vocabulary import Vocabulary  # noqa: PLC0415 (as above)
    from internal.features.windows import make_windows  # noqa: PLC0415 (as above)

    bars, details = make_bars(740, 800), make_details(740)
    frame = observe(build_panel(bars, details, end=END).frame)
    block = Block(cast("date", frame["date"].min()), END)
    scaler = Scaler.fit(frame, fold=block)
    vocabularies = {name: Vocabulary.fit(frame[name]) for name in STATIC_VARIABLES}
    laid = make_windows(frame, scaler, vocabularies, block=block)
    some = np.random.default_rng(0).integers(0, len(laid), 256)
    alone = median_seconds(lambda: make_windows(frame, scaler, vocabularies, block=block))
    panel = median_seconds(lambda: observe(build_panel(bars, details, end=END).frame))
    batch = median_seconds(lambda: laid.batch(some), rounds=20)
    return {"windows": bars.height / alone, "bars": bars.height / (alone + panel), "batch": batch}


def median_seconds(call: Callable[[], object], rounds: int = 3) -> float:
    """The median of some calls after one that does not count."""
    taken: list[float] = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    tasks: dict[str, Callable[[], dict[str, float]]] = {
        "first-step": measure_first_step,
        "artifact": lambda: make_artifact(asked.folder or parser.error("artifact needs a FOLDER")),
        "windows": measure_windows,
    }
    parser.add_argument("task", choices=tasks)
    parser.add_argument("folder", type=Path, nargs="?", help="where `artifact` writes model and bars")
    asked = parser.parse_args()
    print(json.dumps(tasks[asked.task]()))
