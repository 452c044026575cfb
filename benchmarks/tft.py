"""Compares our Temporal Fusion Transformer with PyTorch's: windows a second, ratios, and waiting times.

`uv run --group peers python -m benchmarks.tft [--quick] [--rounds N] [--only NAME,...] [--avx2]`
Each engine has a process of its own; one runs at a time, in turn, and the others wait.
Each median is printed with the foreign load: the processors that something else kept busy meanwhile, from /proc/stat.
A round with more than a quarter of a processor of foreign load is marked noisy; ratios of noisy rounds mean little.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from benchmarks.engines import BATCH, ENGINES, THREADS

TICKS = os.sysconf("SC_CLK_TCK")
NOISY = 0.25
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def busy_seconds() -> float:
    """Processor seconds that this machine has spent on anything."""
    values = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(values[place] for place in (0, 1, 2, 5, 6)) / TICKS


@dataclass
class Samples:
    """Medians of the rounds of one engine at one task, in seconds, and the foreign load of each."""

    seconds: list[float] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)

    @property
    def windows_per_second(self) -> float:
        """The median over the rounds."""
        return BATCH / statistics.median(self.seconds)


def make_environment(*, avx2: bool, folder: Path) -> dict[str, str]:
    """Two threads for everyone, and with `avx2` no wider instructions for anyone."""
    variables = os.environ | {"OMP_NUM_THREADS": str(THREADS), "MKL_NUM_THREADS": str(THREADS)}
    if avx2:
        from internal.kernels.compiler import configure  # noqa: PLC0415 (only here is a compiler needed)

        script = folder / "clang-avx2"
        script.write_text(f'#!/bin/sh\nexec "{configure()}" "$@" -march=x86-64-v3\n')
        script.chmod(0o755)
        variables |= AVX2 | {"CC": str(script), "CACHEDB": str(folder / "avx2.db")}
    return variables


class Process:
    """An engine in a process of its own, which waits between requests."""

    def __init__(self, name: str, variables: Mapping[str, str], folder: Path) -> None:
        """Start it; what its libraries print goes to a file in the folder."""
        self._log = folder / f"{name}.log"
        command = [sys.executable, "-m", "benchmarks.engines", name]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own module)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=variables
            )
        self._answer()

    def ask(self, request: str) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        print(request, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        pipe = self._process.stdout
        line = pipe.readline() if pipe is not None else ""
        if not line:
            raise SystemExit(f"an engine ended:\n{self._log.read_text()[-3000:]}")
        return cast("dict[str, Any]", json.loads(line))

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


def measure(process: Process, task: str, count: int, samples: Samples) -> None:
    """One round of one engine."""
    before, begin = busy_seconds(), time.perf_counter()
    answer = process.ask(f"{task} {count}")
    elapsed, spent = time.perf_counter() - begin, busy_seconds() - before
    samples.seconds.append(statistics.median(answer["seconds"]))
    samples.foreign.append(max(0.0, spent - answer["processor"]) / elapsed)


def compare(names: list[str], rounds: int, count: int, variables: Mapping[str, str], folder: Path) -> None:
    """Alternate the engines and print the table."""
    processes: dict[str, Process] = {}
    for name in names:
        processes[name] = Process(name, variables, folder)
        for task in ("train", "predict"):
            processes[name].ask(f"{task} 1")  # compiles
        print(f"{name} is ready, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    samples = {(name, task): Samples() for name in names for task in ("train", "predict")}
    for _ in range(rounds):
        for (name, task), taken in samples.items():
            measure(processes[name], task, count, taken)
    for process in processes.values():
        process.end()
    print_table(names, rounds, samples)


def print_table(names: list[str], rounds: int, samples: Mapping[tuple[str, str], Samples]) -> None:
    """Windows a second, ours in multiples of each, and how loaded the machine was by others."""
    print(f"batch {BATCH}, {THREADS} threads, medians of {rounds} rounds; foreign: processors busy with something else")
    head = f"{'ours / it':>11}{'foreign':>9}{'noisy':>7}"
    print(f"{'engine':22}{'training w/s':>14}{head}{'inference w/s':>15}{head}")
    for name in names:
        cells = f"{name:22}"
        for task, width in (("train", 14), ("predict", 15)):
            own, taken = samples.get(("ours", task)), samples[name, task]
            ratio = f"{own.windows_per_second / taken.windows_per_second:.2f}" if own else "-"
            noisy = sum(load > NOISY for load in taken.foreign)
            cells += (
                f"{taken.windows_per_second:>{width},.0f}{ratio:>11}{statistics.median(taken.foreign):>9.2f}{noisy:>7}"
            )
        print(cells)


def run_once(task: str, *words: str, **variables: str) -> tuple[dict[str, float], float, float]:
    """Run `benchmarks.once` in a new process: its figures, the seconds of the whole process, the foreign load."""
    command = [sys.executable, "-m", "benchmarks.once", task, *words]
    begin, before = time.perf_counter(), busy_seconds()
    children = os.times().children_user + os.times().children_system
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | variables)  # noqa: S603 (our own module)
    if done.returncode:
        raise SystemExit(f"{task} failed:\n{done.stderr[-3000:]}")
    elapsed, own = time.perf_counter() - begin, os.times().children_user + os.times().children_system - children
    return json.loads(done.stdout), elapsed, max(0.0, busy_seconds() - before - own) / elapsed


def print_waits(folder: Path) -> None:
    """First steps and windows, each with the foreign load meanwhile."""
    kernels = str(folder / "cold.db")
    for word in ("cold", "warm"):
        found, whole, foreign = run_once("first-step", CACHEDB=kernels)
        first = found["first"]
        print(f"first training step, {word} cache: {first:.1f} s, process {whole:.1f} s (foreign {foreign:.2f})")
    found, _, foreign = run_once("windows")
    alone, whole = found["windows"] / 1e6, found["bars"] / 1e6
    print(f"windows from 592,000 bars: {alone:.1f} M rows/s; with panel and variables {whole:.2f} M rows/s")
    print(f"a batch of 256 windows: {1e3 * found['batch']:.2f} ms (foreign {foreign:.2f})")


def main() -> None:
    """Read the arguments and print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of three calls, without the waiting times")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--only", default=",".join(ENGINES), help="engines, by comma")
    parser.add_argument("--avx2", action="store_true", help="no engine uses wider instructions")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rounds, count = (2, 3) if chosen.quick else (chosen.rounds, 5)
        print(f"load average before: {os.getloadavg()[0]:.1f}")
        compare(chosen.only.split(","), rounds, count, make_environment(avx2=chosen.avx2, folder=folder), folder)
        if not chosen.quick and not chosen.avx2:
            print_waits(folder)
        print(f"load average after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
