"""Put a C file into tinygrad's graph as one operation with a gradient.

It knows how tinygrad takes source text, where kernels may run and how many threads they get; it knows no layer.
A file defines `name` under FORWARD and `name_gradient` under BACKWARD; both get outputs first, then inputs, then the
dropout control and the host's addresses.
"""

import ctypes
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from tinygrad import Device, Tensor
from tinygrad.helpers import diskcache_get, diskcache_put
from tinygrad.uop.ops import KernelInfo, Ops, UOp

_FOLDER = Path(__file__).parent
_INCLUDE = re.compile(r'#include "([a-z_]+\.h)"\n')
_STACK_LIMIT = 1 << 20  # bytes that a kernel may keep on a thread's stack; some systems grant threads only 2 MiB
_MOST_THREADS = 64
_plain: ContextVar[bool] = ContextVar("plain", default=False)
_threads: ContextVar[int] = ContextVar("threads", default=0)
_compile: ContextVar[Callable[[str], None] | None] = ContextVar("compile", default=None)


@dataclass(frozen=True)
class Kernel:
    """A C file and the sizes that it is built with.

    `scratch` is the number of floats that the gradient needs beside its outputs; `stack` the bytes of local arrays.
    """

    name: str
    macros: tuple[tuple[str, int | str], ...]
    scratch: int = 1
    stack: int = 0


@contextmanager
def plain_form() -> Iterator[None]:
    """Inside, every operation runs in plain tinygrad."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


@contextmanager
def thread_count(count: int) -> Iterator[None]:
    """Inside, kernels get this many threads; the bits of their results do not depend on it."""
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


@contextmanager
def compiling_ahead() -> Iterator[None]:
    """Inside, a kernel that the cache lacks is compiled once it is named, several at a time; on leaving, all are there.

    tinygrad itself would compile one after the other when the graph is realised, so realise outside.
    """
    compiler = Device["CPU"].renderer.compiler
    jobs: dict[str, Future[bytes]] = {}
    with ThreadPoolExecutor(_usable_cores()) as pool:

        def begin(text: str) -> None:
            if text not in jobs and diskcache_get(compiler.cachekey, text) is None:
                jobs[text] = pool.submit(compiler.compile, text)

        token = _compile.set(begin)
        try:
            yield
        finally:
            _compile.reset(token)
    for text, job in jobs.items():
        diskcache_put(compiler.cachekey, text, job.result())


def runs_kernels(device: str | tuple[str, ...], *, stack: int = 0) -> bool:
    """Whether C kernels of this stack size can run on the device; otherwise the plain form does."""
    if _plain.get() or stack > _STACK_LIMIT or not str(device).startswith("CPU"):
        return False
    return type(Device[str(device)].renderer).__name__ == "ClangRenderer"


def shares_of(rows: int, groups: int = 1) -> int:
    """Into how many shares the rows are cut: a function of the sizes alone, so that threads change no bit."""
    return max(1, min(-(-8 // groups), rows // 32))


@cache
def _host(threads: int) -> Tensor:
    """Addresses of pthread_create and pthread_join, and the number of threads: u64 [4].

    They are data and no text: the loader cannot link far calls, and the kernel's cache must not depend on them.
    """
    library = ctypes.CDLL(None)
    addresses = [
        ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in ("pthread_create", "pthread_join")
    ]
    return Tensor(np.array([*addresses, threads, 0], np.uint64)).realize()


def _usable_cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_THREADS)


def host() -> Tensor:
    """The host tensor for the thread count in force: all cores that this process may use, unless told otherwise."""
    return _host(_threads.get() or _usable_cores())


@cache
def _text(file: str) -> str:
    return _INCLUDE.sub(lambda match: _text(match.group(1)), (_FOLDER / file).read_text())


@cache
def source(name: str, direction: str, macros: tuple[tuple[str, int | str], ...]) -> str:
    """The whole text of one kernel: sizes, headers, the file, and what must come after its entry."""
    defines = "".join(f"#define {key} {value}\n" for key, value in (*macros, (direction, 1)))
    return f"{defines}{_text(f'{name}.c')}\n{_text('memory.h')}"


def program(name: str, text: str, placeholders: Sequence[UOp]) -> UOp:
    """A finished program for tinygrad's graph: its arguments in order and its source."""
    begin = _compile.get()
    if begin is not None:
        begin(text)
    sink = UOp.sink(*[placeholder.base for placeholder in placeholders], arg=KernelInfo(name))
    return UOp(Ops.PROGRAM, src=(sink, UOp(Ops.LINEAR, src=(*sink.src, sink)), UOp(Ops.SOURCE, arg=text)))


def macros(values: Mapping[str, int | str]) -> tuple[tuple[str, int | str], ...]:
    """Macros in one order, so that the same sizes make the same text."""
    return tuple(sorted(values.items()))


def launch(  # noqa: PLR0913, PLR0917 (what a kernel is given, one by one)
    kernel: Kernel,
    shape: tuple[int, ...],
    inputs: Sequence[Tensor],
    control: Tensor,
    constants: Sequence[Tensor] = (),
    beside: Sequence[tuple[int, ...]] = (),
) -> list[Tensor]:
    """Run the kernel: f32 tensors, the output of `shape` and those `beside` it.

    Args:
        kernel: the file and its sizes.
        shape: of the output that has a gradient.
        inputs: f32 tensors that get a gradient, in the C function's order.
        control: u32 [4], the dropout's seed and threshold (`internal.kernels.dropout`).
        constants: tensors after the inputs that get no gradient.
        beside: shapes of further outputs, through which no gradient flows.
    """
    forward, backward = (source(kernel.name, way, kernel.macros) for way in ("FORWARD", "BACKWARD"))
    outputs = [Tensor.empty(*size) for size in (shape, *beside)]

    def gradient(delta: UOp, call: UOp) -> tuple[UOp | None, ...]:
        arguments = call.src[1 + len(outputs) :]  # after the program and the outputs
        results = UOp.custom_kernel(
            *[Tensor.empty(*tensor.shape).uop for tensor in inputs],
            Tensor.empty(kernel.scratch).uop,
            Tensor(delta).contiguous().uop,
            *arguments,
            fxn=lambda *placeholders: program(f"{kernel.name}_gradient", backward, placeholders),
        )
        return (*[None] * len(outputs), *results[: len(inputs)], *[None] * (len(arguments) - len(inputs)))

    found = Tensor.custom_kernel(
        *outputs,
        *inputs,
        *constants,
        control,
        host(),
        fxn=lambda *placeholders: program(kernel.name, forward, placeholders),
        grad_fxn=gradient,
    )
    return [found[0], *(tensor.detach() for tensor in found[1 : len(outputs)])]
