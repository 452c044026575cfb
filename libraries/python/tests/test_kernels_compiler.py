"""The choice of a compiler: which one is taken, what tinygrad gets, and the error when there is none."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import ziglang

from internal.errors import ConfigurationError
from internal.kernels import compiler


def run_in_new_process(code: str, **variables: str) -> str:
    """What the code prints in a Python that has imported nothing yet."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"CC", "DEV", "CACHEDB", "PARALLEL"}
    }
    answer = subprocess.run(  # noqa: S603 (this Python, with the code of the test)
        [sys.executable, "-c", code], env=environment | variables, capture_output=True, check=True, text=True
    )
    return answer.stdout.strip()


def always[T](value: T) -> Callable[[str], T]:
    """A function of one argument that answers the value."""

    def answer(_: str) -> T:
        return value

    return answer


def test_library_stays_light() -> None:
    """Services that need no model do not load tinygrad."""
    code = "import sys, internal, internal.errors, internal.tft; print('tinygrad' in sys.modules)"
    assert run_in_new_process(code) == "False"


@pytest.mark.parametrize("first", ["tinygrad", "internal.kernels"])
def test_order_of_imports(first: str, tmp_path: Path) -> None:
    """Whoever is imported first, tinygrad compiles with our compiler into our cache, on the CPU, without a pool.

    It does so without Mesa's bindings, which take longer to import than all else of its runtime.
    """
    code = (
        f"import {first}, internal.kernels, tinygrad, tinygrad.helpers as h, sys; from tinygrad import Tensor, Device\n"
        "Tensor.realize((Tensor([1.0, 2.0]) * 3).contiguous())\n"
        "mesa = 'tinygrad.runtime.autogen.mesa' in sys.modules\n"
        "print(h.CACHEDB, Device.DEFAULT, h.getenv('CC', ''), h.PARALLEL.value, mesa)"
    )
    cache, device, command, pool, mesa = run_in_new_process(code, XDG_CACHE_HOME=str(tmp_path)).split()
    assert mesa == "False"
    assert Path(cache).parent == tmp_path / "pocketsizefund"
    assert Path(cache).stat().st_size > 0
    assert (device, pool) == ("CPU", "0")
    assert "clang" in Path(command).name


def test_mesa_renderer_can_be_chosen() -> None:
    """`DEV=CPU:LVP` gets tinygrad's own renderer, or its error where Mesa is not installed."""
    code = (
        "import internal.kernels; from tinygrad import Device\n"
        "try: print(type(Device['CPU'].renderer).__module__)\n"
        "except AttributeError as error: print(error)"
    )
    assert run_in_new_process(code, DEV="CPU:LVP").startswith(("tinygrad.renderer.nir", "failed to load library mesa"))


def test_other_compilers_are_passed_over(tmp_path: Path) -> None:
    """CC=gcc, set for other tools, is not taken: tinygrad needs clang's arguments."""
    code = "import internal.kernels, os; print(os.environ['CC'])"
    assert "clang" in run_in_new_process(code, CC="gcc", XDG_CACHE_HOME=str(tmp_path))


def test_chosen_settings_stay() -> None:
    """DEV and CACHEDB that the user has set are kept."""
    code = "import internal.kernels, os; print(os.environ['DEV'], os.environ['CACHEDB'])"
    assert run_in_new_process(code, DEV="NULL", CACHEDB="/tmp/chosen.db") == "NULL /tmp/chosen.db"  # noqa: S108 (a name, not written)


def test_system_clang_is_preferred(tmp_path: Path) -> None:
    """A clang on the PATH comes before the wheel; one that does not work is passed over."""
    zig = Path(compiler.ziglang_script(tmp_path) or "")
    working, broken = tmp_path / "working", tmp_path / "broken"
    for folder, text in ((working, f'#!/bin/sh\nexec "{zig}" "$@"\n'), (broken, "#!/bin/sh\nexit 1\n")):
        folder.mkdir()
        (folder / "clang").write_text(text)
        (folder / "clang").chmod(0o755)
    code = "import internal.kernels, os; print(os.environ['CC'])"
    path = os.environ["PATH"]
    assert run_in_new_process(code, PATH=f"{working}:{path}", XDG_CACHE_HOME=str(tmp_path)) == str(working / "clang")
    fallen_back = run_in_new_process(code, PATH=f"{broken}:{path}", XDG_CACHE_HOME=str(tmp_path))
    assert fallen_back.startswith(str(tmp_path / "pocketsizefund" / "zig-clang-"))


def test_cache_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another flag, another compiler, another tinygrad or another processor: another cache.

    The same compiler has the same cache, also where it is installed in the environment of another checkout.
    """
    zig = compiler.ziglang_script(tmp_path)

    def key_of_wrapper(name: str, line: str) -> str:
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
        return compiler.cache_key(str(tmp_path / name))

    plain = compiler.cache_key(str(zig))
    assert plain == key_of_wrapper("same", f'exec "{zig}" "$@"') == compiler.cache_key(str(zig))
    installed = Path(str(ziglang.__file__)).parents[1]
    assert plain == key_of_wrapper("moved", f'"{zig}" "$@" 2>&1 | sed "s#{installed}#/elsewhere/site-packages#g" >&2')
    keys = {
        plain,
        key_of_wrapper("flag", f'exec "{zig}" "$@" -fno-unroll-loops'),
        key_of_wrapper("newer", f'"{zig}" "$@" 2>&1 | sed "s/clang version [0-9]*/clang version 99/" >&2'),
    }
    monkeypatch.setattr(compiler, "version", always("99"))
    keys.add(compiler.cache_key(str(zig)))
    monkeypatch.undo()
    monkeypatch.setattr(compiler, "describe_processor", lambda: "another")
    keys.add(compiler.cache_key(str(zig)))
    assert len(keys) == 5


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without any compiler the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "clang-that-is-absent")
    monkeypatch.setattr(importlib.util, "find_spec", always(None))
    with pytest.raises(ConfigurationError, match="uv sync"):
        compiler.find_compiler(tmp_path)
