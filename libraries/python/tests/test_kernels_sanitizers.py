"""Every kernel under the address and undefined-behaviour sanitizers, from the very text that tinygrad gets.

The graph of a whole training step is walked for its C programs; each becomes a shared library that a small driver
loads. Every argument has memory of exactly its own size, outputs hold NaN beforehand, and no NaN may be left.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tinygrad import Context, Tensor, dtypes
from tinygrad.uop.ops import Ops, UOp

from internal.networks.adam import Adam, AdamSettings
from internal.networks.losses import quantile_loss
from internal.networks.parameters import named_parameters
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration

SANITIZERS = "-fsanitize=address,undefined"
FLAGS = [
    SANITIZERS,
    "-fno-sanitize-recover=all",
    "--param",
    "asan-instrumentation-with-call-threshold=0",  # checks as calls: the same reports, compiled in a third less time
    "-O1",
    "-g1",
    "-w",
    "-march=native",
    "-fno-math-errno",
    "-x",
    "c",
    "-",
]
DRIVER = r"""
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) { // library, threads, file: number of arguments, then {kind, bytes, content} of each
  void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 2;
  void (*run)(void **) = dlsym(library, "run_with_arguments");
  FILE *file = fopen(words[3], "rb");
  long total, head[64][2], bad = 0;
  void *arguments[64];
  if (fread(&total, 8, 1, file) != 1) return 2;
  for (int i = 0; i < total; i++) {
    if (fread(head[i], 16, 1, file) != 1) return 2;
    arguments[i] = malloc(head[i][1]);
    if (fread(arguments[i], 1, head[i][1], file) != (size_t)head[i][1]) return 2;
  }
  unsigned long *host = arguments[total - 1];
  host[0] = (unsigned long)pthread_create, host[1] = (unsigned long)pthread_join, host[2] = atoi(words[2]);
  run(arguments);
  for (int i = 0; i < total; i++)
    for (long at = 0; head[i][0] && at < head[i][1] / 4; at++) {
      float value = ((float *)arguments[i])[at];
      if (value != value && !bad++) fprintf(stderr, "argument %d is not written at %ld\n", i, at);
    }
  for (int i = 0; i < total; i++) free(arguments[i]);
  fclose(file);
  return bad ? 3 : 0;
}
"""


@dataclass(frozen=True)
class Program:
    """A kernel's text and its arguments: whether it must be written whole, and the bytes that it holds before."""

    name: str
    text: str
    arguments: tuple[tuple[bool, bytes], ...]


MANY = TemporalFusionTransformerConfiguration(
    observed_variables=("close",),
    known_variables=tuple("abcdefghijklmno"),
    static_cardinalities=(5, 3, 4),
    hidden_size=21,
    head_count=3,
    dropout=0.3,
    past_length=9,
    horizon=4,
    seed=1,
)
ONE = replace(
    MANY,
    observed_variables=("close",),
    known_variables=("day",),
    static_cardinalities=(2,),
    hidden_size=16,  # a row without padding, which kernels read and write in place
    head_count=1,
)


def read_declarations(name: str, text: str) -> list[str]:
    """The declarations of the entry's arguments, as the preprocessor leaves them."""
    command = [find_sanitizing_compiler(), "-E", "-P", "-march=native", "-x", "c", "-"]
    plain = subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout  # noqa: S603 (a compiler of this machine)
    found = re.search(rf"^void {name}\(([^)]*)\)", plain, re.MULTILINE)
    assert found is not None, f"{name} has no entry"
    return [" ".join(part.split()) for part in found[1].split(",")]


def argument_content(argument: UOp, declaration: str, random: np.random.Generator) -> tuple[bool, bytes]:
    """What an argument holds: its real values where it has some, NaN where the kernel writes, else random numbers."""
    size = int(Tensor(argument).numel())
    if argument.base.is_realized:
        return False, Tensor(argument).numpy().tobytes()
    assert argument.dtype is dtypes.float, f"{declaration} is neither realised nor f32"
    if declaration.startswith("const"):
        return False, random.standard_normal(size).astype(np.float32).tobytes()
    return "scratch" not in declaration, np.full(size, np.nan, np.float32).tobytes()


@cache
def collect_programs(configuration: TemporalFusionTransformerConfiguration, batch: int) -> list[Program]:
    """Every different C program of a training step and of a forecast: all layers forward and backward, and Adam."""
    c, random = configuration, np.random.default_rng(2)
    model, known = TemporalFusionTransformer(c), len(c.known_variables)
    parameters = list(named_parameters(model).values())
    optimizer = Adam(parameters, model.dropout, AdamSettings(1e-3, largest_norm=1.0))
    shapes = ((batch, c.past_length, len(c.observed_variables) + known), (batch, c.horizon, known), (batch, c.horizon))
    past, future, target = (Tensor(random.standard_normal(shape).astype(np.float32)).realize() for shape in shapes)
    indices = np.stack([random.integers(0, size, batch) for size in c.static_cardinalities], 1).astype(np.int32)
    static = Tensor(indices).realize()
    forecast = model(past, future, static)
    with Context(TRAINING=1):
        loss = quantile_loss(model(past, future, static), target, c.quantiles)
        report = optimizer.step(loss, loss.gradient(*parameters))
    found = [program for result in (report, forecast) for program in walk(result.uop, random)]
    return list({program.text: program for program in found}.values())


def walk(graph: UOp, random: np.random.Generator) -> Iterator[Program]:
    """The C programs below a node of tinygrad's graph, with their arguments."""
    for call in graph.toposort():
        if call.op is Ops.CALL and call.src[0].op is Ops.PROGRAM:
            sink, _, text = call.src[0].src
            name, declarations = sink.arg.name, read_declarations(sink.arg.name, text.arg)
            assert len(declarations) == len(call.src) - 1
            held = [argument_content(*pair, random) for pair in zip(call.src[1:], declarations, strict=True)]
            yield Program(name, text.arg, tuple(held))


def keeps_activations(program: Program) -> bool:
    """Whether it is the form for training; in the other, nothing is dropped, and variable selection merges layers."""
    return "#define KEEPS 1\n" in program.text


@cache
def find_sanitizing_compiler() -> str:
    """A compiler that brings the sanitizers' libraries along; `zig clang` does not."""
    for name in ("gcc", "clang"):
        probe = [shutil.which(name) or "", SANITIZERS, "-x", "c", "-", "-o", os.devnull]
        if probe[0] and not subprocess.run(probe, input=b"int main() {}", capture_output=True, check=False).returncode:  # noqa: S603 (a compiler of this machine)
            return probe[0]
    pytest.skip("neither gcc nor clang links -fsanitize=address,undefined here: install gcc")


def build_with_sanitizers(text: str, target: Path, *options: str) -> Path:
    """Compile C text with the sanitizers."""
    command = [find_sanitizing_compiler(), *options, *FLAGS, "-o", str(target)]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)  # noqa: S603 (a compiler of this machine)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that loads a kernel and calls it."""
    return build_with_sanitizers(DRIVER, tmp_path_factory.mktemp("driver") / "driver", "-ldl", "-lpthread")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the libraries of planted faults: the kernel without a fault is compiled once for all of them."""
    return tmp_path_factory.mktemp("libraries")


def run_program(driver: Path, folder: Path, program: Program, threads: int) -> str:
    """What the sanitizers say of a kernel; empty when they say nothing."""
    library, file = folder / f"{abs(hash(program.text))}.so", folder / f"{abs(hash(program))}.{threads}"
    if not library.exists():
        handed = ", ".join(f"a[{place}]" for place in range(len(program.arguments)))
        wrapper = f"\nvoid run_with_arguments(void **a) {{ {program.name}({handed}); }}\n"
        build_with_sanitizers(program.text + wrapper, library, "-shared", "-fPIC")
    parts = [np.array([checked, len(held)], np.int64).tobytes() + held for checked, held in program.arguments]
    file.write_bytes(np.array([len(parts)], np.int64).tobytes() + b"".join(parts))
    environment = {
        "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command = [str(driver), str(library), str(threads), str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 (built above)
    return (
        ""
        if done.returncode == 0
        else f"{program.name}, {threads} threads: status {done.returncode}\n{done.stderr[:2000]}"
    )


@pytest.mark.timeout(900)  # half a minute on two idle cores; compilers are slow on busy ones
@pytest.mark.parametrize(
    ("configuration", "batch"),
    [pytest.param(MANY, 65, id="sixteen variables"), pytest.param(ONE, 1, id="one")],
)
@pytest.mark.long
def test_all_kernels(
    configuration: TemporalFusionTransformerConfiguration, batch: int, driver: Path, tmp_path: Path
) -> None:
    """No report from any layer of any size, forward or backward; every output is written whole."""
    require_no_report(collect_programs(configuration, batch), driver, tmp_path)


@pytest.mark.timeout(900)
def test_each_kernel(driver: Path, tmp_path: Path) -> None:
    """The short form: of the programs with one name, the longest, once as in training and once as in a forecast."""
    found = sorted(collect_programs(MANY, 65), key=lambda one: len(one.text))
    by_name = {(program.name, keeps_activations(program)): program for program in found}
    require_no_report(list(by_name.values()), driver, tmp_path)


def require_no_report(found: list[Program], driver: Path, folder: Path) -> None:
    """Run every program on one thread and on five."""
    names = {program.name for program in found}
    assert "adam" in names
    assert {f"{name}_gradient" for name in names if f"{name}_gradient" in names} >= {
        "gate_gradient",
        "lstm_gradient",
        "attention_gradient",
    }

    def judge(program: Program) -> str:
        return "".join(run_program(driver, folder, program, threads) for threads in (1, 5))

    with ThreadPoolExecutor(max_workers=2) as pool:
        reports = [report for report in pool.map(judge, found) if report]
    assert not reports, "\n".join(reports)


@pytest.mark.parametrize(
    ("planted", "report"),
    [
        ("y[(long)ROWS * VARIABLES * WIDE] = 0;", "heap-buffer-overflow"),
        ("float held[4]; ((volatile float *)held)[host[2] + 3] = y[0];", "insufficient space"),
        ("volatile int high = 2147483647; high += (int)host[2];", "signed integer overflow"),
        ("return;", "argument 0 is not written"),
    ],
)
def test_planted_fault(planted: str, report: str, driver: Path, libraries: Path) -> None:
    """A write beyond an argument or a local array, an overflow, an output left out: each is reported.

    The faults are planted in the kernel that compiles fastest.
    """
    program = next(program for program in collect_programs(MANY, 65) if program.name == "embedding")
    entry = re.compile(r"^(void embedding\([^)]*\) \{)", re.MULTILINE)
    assert entry.search(program.text)
    faulty = replace(program, text=entry.sub(lambda found: f"{found[1]} {planted}", program.text))
    assert not run_program(driver, libraries, program, 1)
    assert report in run_program(driver, libraries, faulty, 1)
