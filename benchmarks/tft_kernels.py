"""Measures each kernel's milliseconds and GFLOP/s in a training step and in a forecast.

`python -m benchmarks.tft_kernels [small|full] [threads]`
Processor time over all threads is the cost of a kernel, whatever else runs; wall time is how long it takes.
GFLOP/s count the matrix products of the layer's equations (a gradient's with its recomputation) per second of processor
time; a collapsed embedding's products are not counted, because they are not done; merged layers count as two.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from tinygrad import Tensor, TinyJit
from tinygrad.runtime.ops_cpu import CPUProgram

from internal.kernels.threads import thread_count
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.training import TrainingConfiguration, make_training_step

ROUNDS, WARM = 20, 3
SIZES = {"small": (16, 2), "full": (64, 4)}  # hidden size and heads
BATCH = 256
PAST, HORIZON, PAST_VARIABLES, KNOWN, STATIC = 35, 7, 13, 6, 3


@dataclass
class KernelTime:
    """Seconds of one kernel in the rounds so far."""

    count: int = 0
    wall: float = 0.0
    processor: float = 0.0


@dataclass
class Launches:
    """Every launch's time while `open`, by the kernel's name."""

    spent: dict[str, KernelTime] = field(default_factory=lambda: defaultdict(KernelTime))
    is_open: bool = False

    def attach(self) -> None:
        """Put a stopwatch around tinygrad's launches."""
        launch = cast("Callable[..., object]", CPUProgram.__call__)

        def time_launch(program: CPUProgram, *arguments: object, **options: object) -> object:
            wall, processor = time.perf_counter(), time.process_time()
            result = launch(program, *arguments, **options)
            if self.is_open:
                entry = self.spent[program.name]
                entry.count += 1
                entry.wall += time.perf_counter() - wall
                entry.processor += time.process_time() - processor
            return result

        setattr(CPUProgram, "__call__", time_launch)  # noqa: B010 (an assignment would have to repeat tinygrad's signature)


def count_products(hidden: int, heads: int) -> dict[str, float]:
    """GFLOP of the matrix products in one forward pass, by kernel."""
    h, depth, steps = hidden, hidden // heads, PAST + HORIZON
    selection = sum(
        BATCH * rows * (v * 6 * h * h + 2 * h * h + 6 * h * v + 2 * v * v)
        for rows, v in ((PAST, PAST_VARIABLES), (HORIZON, KNOWN))
    )
    residual = BATCH * (STATIC * 8 * h * h + 2 * STATIC * h * h + 2 * h * h + 4 * h * STATIC + 2 * STATIC * STATIC * h)
    residual += BATCH * 8 * h * h * (4 + steps + HORIZON)
    attention = BATCH * (2 * h * h * (HORIZON + steps) + 2 * steps * h * depth + 2 * HORIZON * steps * (h + depth))
    forward = {
        "variable_selection": selection,
        "gated_residual": residual,
        "lstm": BATCH * steps * 16 * h * h,
        "gate": BATCH * (steps + 2 * HORIZON) * 4 * h * h,
        "attention": attention + BATCH * HORIZON * 2 * depth * h,
    }
    return {name: flop / 1e9 for name, flop in forward.items()}


def report(title: str, call: Callable[[], object], launches: Launches, forward: dict[str, float]) -> None:
    """Time the call and print what its kernels took."""
    for _ in range(WARM):
        call()
    launches.spent.clear()
    seconds: list[float] = []
    launches.is_open = True
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    launches.is_open = False
    median, total = statistics.median(seconds), sum(entry.processor for entry in launches.spent.values()) / ROUNDS
    print(
        f"\n{title}: {1e3 * median:.1f} ms, {BATCH / median:,.0f} windows/s, best {BATCH / min(seconds):,.0f}; ", end=""
    )
    print(f"{1e3 * total:.1f} ms of processor time; load average {os.getloadavg()[0]:.1f}")
    print("| kernel | launches | wall ms | processor ms | GFLOP/s |\n|---|---|---|---|---|")
    for name, entry in sorted(launches.spent.items(), key=lambda item: -item[1].processor)[:14]:
        times = (3 if name.endswith("_gradient") else 1) * forward.get(name.removesuffix("_gradient"), 0.0)
        rate = f"{times / (entry.processor / ROUNDS):.0f}" if times else ""
        wall, processor = 1e3 * entry.wall / ROUNDS, 1e3 * entry.processor / ROUNDS
        print(f"| {name} | {entry.count // ROUNDS} | {wall:.2f} | {processor:.2f} | {rate} |")


def main(name: str, threads: int) -> None:
    """Measure one size with random windows."""
    hidden, heads = SIZES[name]
    configuration = TemporalFusionTransformerConfiguration(
        tuple("abcdefg"), tuple("uvwxyz"), (121, 12, 40), hidden_size=hidden, head_count=heads
    )
    model, random, launches = TemporalFusionTransformer(configuration), np.random.default_rng(0), Launches()
    past, future, target = (
        Tensor(random.standard_normal(shape).astype(np.float32)).realize()
        for shape in ((BATCH, PAST, PAST_VARIABLES), (BATCH, HORIZON, KNOWN), (BATCH, HORIZON))
    )
    static = Tensor(random.integers(0, 12, (BATCH, STATIC)).astype(np.int32)).realize()
    step = make_training_step(model, TrainingConfiguration())

    def predict(past: Tensor, future: Tensor, static: Tensor) -> Tensor:
        return model(past, future, static).realize()

    forward = TinyJit(predict)
    launches.attach()
    print(f"{name}, hidden {hidden}, {heads} heads, batch {BATCH}, {threads} threads, dropout {configuration.dropout}")
    with thread_count(threads):
        report("training", lambda: step(past, future, static, target), launches, count_products(hidden, heads))
        report("inference", lambda: forward(past, future, static).numpy(), launches, count_products(hidden, heads))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", nargs="?", choices=SIZES, default="full")
    parser.add_argument("threads", nargs="?", type=int, default=2)
    options = parser.parse_args()
    main(options.size, options.threads)
