"""The engines that `benchmarks/tft.py` times, each in a process of its own: `python -m benchmarks.engines NAME`.

One line in (`train 5`, `predict 5`), one line of JSON out: the seconds of each step or batch, and the processor time.
Every engine trains and predicts batches of 256 windows on two threads: 35 sessions in, 7 out, 13 past and 6 known
variables, 3 static ones, hidden size 64, 4 heads, dropout 0.1, three quantiles, Adam, gradients clipped at norm 1.
"""
# torch and the libraries of the dependency group `peers` are not installed where types are checked
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportPrivateImportUsage=false, reportUntypedBaseClass=false

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

BATCH, THREADS, PAST, HORIZON = 256, 2, 35, 7
OBSERVED, KNOWN, CARDINALITIES = tuple("abcdefg"), tuple("klmnop"), (121, 12, 40)


@dataclass(frozen=True)
class Engine:
    """Both functions return the seconds of each of `count` steps or batches of 256 windows."""

    train: Callable[[int], list[float]]
    predict: Callable[[int], list[float]]


def time_repeatedly(call: Callable[[], object]) -> Callable[[int], list[float]]:
    """Time a function that ends when its numbers are there; the first two calls, which compile, do not count."""
    waiting = [2]

    def run(count: int) -> list[float]:
        seconds: list[float] = []
        for _ in range(waiting.pop() if waiting else 0):
            call()
        for _ in range(count):
            begin = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - begin)
        return seconds

    return run


def make_batch() -> tuple[np.ndarray, ...]:
    """One batch: past, future, static, target."""
    random = np.random.default_rng(0)
    shapes = ((BATCH, PAST, len(OBSERVED) + len(KNOWN)), (BATCH, HORIZON, len(KNOWN)), (BATCH, HORIZON))
    past, future, target = (random.standard_normal(shape).astype(np.float32) for shape in shapes)
    static = np.stack([random.integers(0, size, BATCH) for size in CARDINALITIES], 1).astype(np.int32)
    return past, future, static, target


def make_our_engine() -> Engine:
    """The product's model through its own training step."""
    from tinygrad import Tensor, TinyJit  # noqa: PLC0415 (each process imports one engine)

    from internal.kernels.threads import thread_count  # noqa: PLC0415 (as above)
    from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration  # noqa: PLC0415
    from internal.tft.training import TrainingConfiguration, make_training_step  # noqa: PLC0415 (as above)

    model = TemporalFusionTransformer(TemporalFusionTransformerConfiguration(OBSERVED, KNOWN, CARDINALITIES))
    past, future, static, target = (Tensor(array).realize() for array in make_batch())
    step = make_training_step(model, TrainingConfiguration())
    forward = TinyJit(lambda past, future, static: model(past, future, static).realize())

    def train() -> None:
        with thread_count(THREADS):
            step(past, future, static, target)

    def predict() -> None:
        with thread_count(THREADS):
            forward(past, future, static).numpy()

    return Engine(time_repeatedly(train), time_repeatedly(predict))


def make_pytorch_engine(*, compiled: bool) -> Engine:
    """The peer of `benchmarks/peer_tft.py`, eager or compiled."""
    import torch  # noqa: PLC0415 (as above)

    from benchmarks.peer_tft import PeerTransformer, quantile_loss  # noqa: PLC0415 (as above)
    from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration  # noqa: PLC0415

    torch.set_num_threads(THREADS)
    configuration = TemporalFusionTransformerConfiguration(OBSERVED, KNOWN, CARDINALITIES)
    trained = PeerTransformer.of(TemporalFusionTransformer(configuration)).train()
    still = PeerTransformer.of(TemporalFusionTransformer(configuration)).eval()
    past, future, static, target = (torch.tensor(array) for array in make_batch())
    levels = torch.tensor(configuration.quantiles)
    parameters = list(trained.parameters())
    optimizer = torch.optim.Adam(parameters, 1e-3, fused=True)

    def compute_loss() -> torch.Tensor:
        return quantile_loss(trained(past, future, static), target, levels)

    if "avx2" in os.environ.get("ATEN_CPU_CAPABILITY", ""):
        import torch._inductor.config as inductor  # noqa: PLC0415 (as above)

        inductor.cpp.simdlen = 256
    loss_function = torch.compile(compute_loss, dynamic=False) if compiled else compute_loss
    forward = torch.compile(still, dynamic=False) if compiled else still

    def train() -> None:
        loss = loss_function()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        loss.item()

    def predict() -> None:
        with torch.inference_mode():
            forward(past, future, static).numpy()

    return Engine(time_repeatedly(train), time_repeatedly(predict))


def make_neuralforecast_engine() -> Engine:
    """The TFT of neuralforecast as its users run it: `fit`, `predict`, a frame of 256 series, 256 windows a step."""
    import logging  # noqa: PLC0415 (as above)

    import pandas as pd  # noqa: PLC0415 (as above)
    import pytorch_lightning as lightning  # noqa: PLC0415 (as above)
    import torch  # noqa: PLC0415 (as above)
    from neuralforecast import NeuralForecast  # noqa: PLC0415 (as above)
    from neuralforecast.losses.pytorch import MQLoss  # noqa: PLC0415 (as above)
    from neuralforecast.models import TFT  # noqa: PLC0415 (as above)

    torch.set_num_threads(THREADS)
    logging.getLogger("lightning").setLevel(logging.ERROR)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    random, length, clock = np.random.default_rng(0), 120, _Clock.callback(lightning.Callback)
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(BATCH), length), "ds": np.tile(np.arange(length), BATCH)})
    for name in ("y", *OBSERVED, *KNOWN):
        frame[name] = random.standard_normal(len(frame)).astype(np.float32)
    static = pd.DataFrame({"unique_id": np.arange(BATCH)})
    for place, size in enumerate(CARDINALITIES):
        static[f"static_{place}"] = random.integers(0, size, BATCH).astype(np.float32)
    future = frame.loc[frame["ds"] < HORIZON, ["unique_id", "ds", *KNOWN]].assign(ds=lambda rows: rows.ds + length)

    def forecaster(steps: int) -> NeuralForecast:
        model = TFT(
            h=HORIZON, input_size=PAST, hidden_size=64, n_head=4, dropout=0.1, loss=MQLoss(level=[80]),
            hist_exog_list=list(OBSERVED), futr_exog_list=list(KNOWN), stat_exog_list=list(static.columns[1:]),
            max_steps=steps, batch_size=32, windows_batch_size=BATCH, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, callbacks=[clock], accelerator="cpu",
        )  # fmt: skip
        return NeuralForecast(models=[model], freq=1)

    def train(count: int) -> list[float]:
        forecaster(count + 1).fit(frame, static_df=static)
        return clock.take_seconds(count)

    fitted = forecaster(1)
    fitted.fit(frame, static_df=static)
    return Engine(train, time_repeatedly(lambda: fitted.predict(futr_df=future)))


def make_pytorch_forecasting_engine() -> Engine:
    """pytorch-forecasting's TFT as its users run it: a data set, a loader, Lightning's trainer and `predict`."""
    import lightning.pytorch as lightning  # noqa: PLC0415 (as above)
    import pandas as pd  # noqa: PLC0415 (as above)
    import torch  # noqa: PLC0415 (as above)
    from pytorch_forecasting import QuantileLoss, TemporalFusionTransformer, TimeSeriesDataSet  # noqa: PLC0415

    torch.set_num_threads(THREADS)
    random, length, clock = np.random.default_rng(0), 120, _Clock.callback(lightning.Callback)
    frame = pd.DataFrame({"series": np.repeat(np.arange(BATCH), length), "step": np.tile(np.arange(length), BATCH)})
    for name in ("y", *OBSERVED, *KNOWN):
        frame[name] = random.standard_normal(len(frame)).astype(np.float32)
    statics = [f"static_{place}" for place in range(len(CARDINALITIES))]
    for name, size in zip(statics, CARDINALITIES, strict=True):
        frame[name] = np.repeat(random.integers(0, size, BATCH), length).astype(str)
    data = TimeSeriesDataSet(
        frame, time_idx="step", target="y", group_ids=["series"], max_encoder_length=PAST, min_encoder_length=PAST,
        max_prediction_length=HORIZON, static_categoricals=statics, time_varying_known_reals=list(KNOWN),
        time_varying_unknown_reals=["y", *OBSERVED],
    )  # fmt: skip
    last = TimeSeriesDataSet.from_dataset(data, frame, predict=True, stop_randomization=True)
    loaders = [
        source.to_dataloader(train=training, batch_size=BATCH, num_workers=0)
        for source, training in ((data, True), (last, False))
    ]
    model = TemporalFusionTransformer.from_dataset(
        data, hidden_size=64, hidden_continuous_size=64, attention_head_size=4, dropout=0.1, learning_rate=1e-3,
        loss=QuantileLoss([0.1, 0.5, 0.9]), log_interval=-1,
    )  # fmt: skip
    quiet = {"logger": False, "enable_progress_bar": False, "accelerator": "cpu"}

    def train(count: int) -> list[float]:
        trainer = lightning.Trainer(
            max_steps=count + 1, gradient_clip_val=1.0, callbacks=[clock], enable_checkpointing=False,
            enable_model_summary=False, **quiet,
        )  # fmt: skip
        trainer.fit(model, loaders[0])
        return clock.take_seconds(count)

    def predict() -> None:
        model.predict(loaders[1], mode="quantiles", trainer_kwargs=dict(quiet))  # a copy: it adds its own callbacks

    return Engine(train, time_repeatedly(predict))


class _Clock:
    """When each of Lightning's training batches ended; loading the next one counts, setting up does not."""

    ends: ClassVar[list[float]] = []  # of the class, because neuralforecast copies its callbacks

    def take_seconds(self, count: int) -> list[float]:
        """Return the seconds of the last `count` steps, and start again."""
        seconds = np.diff(self.ends)[-count:].tolist()
        self.ends.clear()
        return [float(second) for second in seconds]

    @staticmethod
    def callback(base: type) -> "_Clock":
        """A clock that a trainer takes as a callback; the two libraries bring a Lightning of their own each."""

        class Clock(_Clock, base):
            def on_train_batch_end(self, *_: object, **__: object) -> None:
                self.ends.append(time.perf_counter())

        return Clock()


ENGINES: dict[str, Callable[[], Engine]] = {
    "ours": make_our_engine,
    "torch eager": lambda: make_pytorch_engine(compiled=False),
    "torch.compile": lambda: make_pytorch_engine(compiled=True),
    "neuralforecast": make_neuralforecast_engine,
    "pytorch-forecasting": make_pytorch_forecasting_engine,
}


def serve(name: str) -> None:
    """Answer requests until the input ends; only answers go to the standard output."""
    answers, sys.stdout = sys.stdout, sys.stderr
    engine = ENGINES[name]()
    print(json.dumps({"ready": name}), file=answers, flush=True)
    for line in sys.stdin:
        task, count = line.split()
        before = time.process_time()
        seconds = getattr(engine, task)(int(count))
        print(json.dumps({"seconds": seconds, "processor": time.process_time() - before}), file=answers, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=ENGINES)
    serve(parser.parse_args().name)
