"""Puts a C file into tinygrad's graph as one operation with a gradient, where kernels can run.

A file defines `name` under FORWARD and `name_gradient` under BACKWARD; both get outputs first, then inputs, then the
dropout control and the host's addresses.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinygrad import Device, Tensor
from tinygrad.helpers import diskcache_get, diskcache_put
from tinygrad.uop.ops import KernelInfo, Ops, UOp

from internal.kernels.threads import host_tensor, usable_cores

_FOLDER = Path(__file__).parent
_INCLUDE = re.compile(r'#include "([a-z_]+\.h)"\n')
_STACK_LIMIT = 1 << 20  # bytes that a kernel may keep on a thread's stack; some systems grant threads only 2 MiB
_plain: ContextVar[bool] = ContextVar("plain", default=False)
_compile: ContextVar[Callable[[str], None] | None] = ContextVar("compile", default=None)


@dataclass(frozen=True)
class Kernel:
    """A C file and the sizes that it is built with.

    `scratch` is the number of floats that the gradient needs besides its outputs; `kept` those that the forward pass
    leaves for it, in training alone: to read them costs less than to compute them again; `prepared` those in which the
    forward pass prepares weights for itself; `stack` the bytes of local arrays.
    """

    name: str
    macros: tuple[tuple[str, int | str], ...]
    scratch: int = 1
    kept: int = 0
    prepared: int = 0
    stack: int = 0

    def runs_on(self, device: str | tuple[str, ...] | None) -> bool:
        """Whether the kernel can run there; otherwise the layer computes its equations in plain tinygrad."""
        return self.stack <= _STACK_LIMIT and device_runs_kernels(device)


@contextmanager
def plain_form() -> Generator[None]:
    """Inside, every operation runs in plain tinygrad."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


@contextmanager
def compile_ahead() -> Generator[None]:
    """Inside, a kernel that the cache lacks is compiled once it is named, several at a time; on leaving, all are there.

    tinygrad itself would compile one after the other when the graph is realised, so realise outside.
    """
    compiler = Device["CPU"].renderer.compiler
    table = str(compiler.cachekey)
    jobs: dict[str, Future[bytes]] = {}
    with ThreadPoolExecutor(usable_cores()) as pool:

        def begin(text: str) -> None:
            if text not in jobs and diskcache_get(table, text) is None:
                jobs[text] = pool.submit(compiler.compile, text)

        token = _compile.set(begin)
        try:
            yield
        finally:
            _compile.reset(token)
    for text, job in jobs.items():
        diskcache_put(table, text, job.result())


def device_runs_kernels(device: str | tuple[str, ...] | None) -> bool:
    """Whether C kernels can run on the device."""
    if _plain.get() or not str(device).startswith("CPU"):
        return False
    return type(Device[str(device)].renderer).__name__ == "ClangRenderer"


def count_shares(rows: int, groups: int = 1) -> int:
    """Count the shares that the rows are cut into, from the sizes alone, so that threads change no bit."""
    return max(1, min(-(-8 // groups), rows // 32))


@cache
def _text(file: str) -> str:
    return _INCLUDE.sub(lambda match: _text(match.group(1)), (_FOLDER / file).read_text())


@cache
def kernel_source(name: str, direction: str, macros: tuple[tuple[str, int | str], ...]) -> str:
    """The whole text of one kernel: sizes, headers, the file, and what must come after its entry."""
    defines = "".join(f"#define {key} {value}\n" for key, value in (*macros, (direction, 1)))
    return f"{defines}{_text(f'{name}.c')}\n{_text('memory.h')}"


def make_program(name: str, text: str, placeholders: Sequence[UOp]) -> UOp:
    """Make a finished program for tinygrad's graph: its arguments in order and its source."""
    begin = _compile.get()
    if begin is not None:
        begin(text)
    sink = UOp.sink(*[placeholder.base for placeholder in placeholders], arg=KernelInfo(name))
    return UOp(Ops.PROGRAM, src=(sink, UOp(Ops.LINEAR, src=(*sink.src, sink)), UOp(Ops.SOURCE, arg=text)))


def order_macros(values: Mapping[str, int | str]) -> tuple[tuple[str, int | str], ...]:
    """Sort macros by name, so that the same sizes make the same text."""
    return tuple(sorted(values.items()))


def launch(  # noqa: PLR0913, PLR0917 (what a kernel is given, one by one)
    kernel: Kernel,
    shape: tuple[int, ...],
    inputs: Sequence[Tensor],
    control: Tensor,
    constants: Sequence[Tensor] = (),
    further: Sequence[tuple[int, ...]] = (),
) -> list[Tensor]:
    """Run the kernel: f32 tensors, the output of `shape` and the `further` ones.

    Args:
        kernel: The file and its sizes.
        shape: Of the output that has a gradient.
        inputs: f32 tensors that get a gradient, in the C function's order.
        control: u32 [4], the dropout's seed and threshold (`internal.networks.dropout`).
        constants: Tensors after the inputs that get no gradient.
        further: Shapes of more outputs, through which no gradient flows; the gradient gets them after its own.
    """
    forward, backward = (kernel_source(kernel.name, way, kernel.macros) for way in ("FORWARD", "BACKWARD"))
    room = [(size,) for size in (kernel.kept, kernel.prepared) if size]
    outputs = [Tensor.empty(*size) for size in (shape, *further, *room)]
    handed = len(outputs) - bool(kernel.prepared)

    def place_forward(*placeholders: UOp) -> UOp:
        return make_program(kernel.name, forward, placeholders)

    def place_backward(*placeholders: UOp) -> UOp:
        return make_program(f"{kernel.name}_gradient", backward, placeholders)

    def gradient(delta: UOp, call: UOp) -> tuple[UOp | None, ...]:
        written, arguments = call.src[2 : 1 + handed], call.src[1 + len(outputs) :]  # after the program and y
        results = UOp.custom_kernel(
            *[Tensor.empty(*tensor.shape).uop for tensor in inputs],
            Tensor.empty(kernel.scratch).uop,
            Tensor(delta).contiguous().uop,
            *(output.after(call) for output in written),
            *arguments,
            fxn=place_backward,
        )
        return (*[None] * len(outputs), *results[: len(inputs)], *[None] * (len(arguments) - len(inputs)))

    found = Tensor.custom_kernel(
        *outputs,
        *inputs,
        *constants,
        control,
        host_tensor(),
        fxn=place_forward,
        grad_fxn=gradient,
    )
    return [found[0], *(tensor.detach() for tensor in found[1 : 1 + len(further)])]
