"""Measures how fast the Temporal Fusion Transformer trains and predicts on this machine.

`python -m benchmarks.tft_speed [small|full] [threads]`
Prints the first step's time (with the present kernel cache), windows a second, and the peak of memory.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor, TinyJit

from internal.kernels.threads import thread_count
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.training import TrainingConfiguration, make_training_step

SIZES = {"small": (16, 2), "full": (64, 4)}
BATCH, STEPS = 256, 20


@dataclass(frozen=True)
class Timing:
    """Seconds of the first call, and the median of the later ones."""

    first: float
    median: float


def measure(calls: int, call: Callable[[], object]) -> Timing:
    """Time a function that ends when its numbers are there."""
    seconds: list[float] = []
    for _ in range(calls):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return Timing(seconds[0], statistics.median(seconds[3:]))


def main(name: str, threads: int) -> None:
    """Measure one size with random windows."""
    hidden, heads = SIZES[name]
    configuration = TemporalFusionTransformerConfiguration(
        tuple("abcdefg"), tuple("uvwxyz"), (121, 12, 40), hidden_size=hidden, head_count=heads
    )
    model, random = TemporalFusionTransformer(configuration), np.random.default_rng(0)
    past, future, target = (
        Tensor(random.standard_normal(shape).astype(np.float32)).realize()
        for shape in ((BATCH, 35, 13), (BATCH, 7, 6), (BATCH, 7))
    )
    static = Tensor(random.integers(0, 12, (BATCH, 3)).astype(np.int32)).realize()
    step = make_training_step(model, TrainingConfiguration())

    def predict(past: Tensor, future: Tensor, static: Tensor) -> Tensor:
        return model(past, future, static).realize()

    forward = TinyJit(predict)
    with thread_count(threads):
        training = measure(STEPS, lambda: step(past, future, static, target))
        inference = measure(STEPS, lambda: forward(past, future, static).numpy())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}, hidden {hidden}, {heads} heads, batch {BATCH}, {threads} threads, dropout {configuration.dropout}")
    print(f"training:  first step {training.first:.1f} s, then {BATCH / training.median:,.0f} windows/s")
    print(f"inference: first batch {inference.first:.1f} s, then {BATCH / inference.median:,.0f} windows/s")
    print(f"peak memory {memory:,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", nargs="?", choices=SIZES, default="small")
    parser.add_argument("threads", nargs="?", type=int, default=2)
    options = parser.parse_args()
    main(options.size, options.threads)
