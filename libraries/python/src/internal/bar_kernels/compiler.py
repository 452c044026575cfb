"""Compiles the C files to shared libraries.

Images hold them compiled, by `python -m internal.bar_kernels.compiler`. Elsewhere the first process that needs one
compiles it, which takes a tenth of a second, and keeps it beside its source where it may write there: the wheel
`ziglang` brings the compiler, with a linker for each system.
"""

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from internal.errors import ConfigurationError

BARS, PANEL, VARIABLES, VOLATILITY = SOURCES = tuple(
    Path(__file__).with_name(f"{name}.c") for name in ("bars", "panel", "variables", "volatility")
)
FLAGS = ("cc", "-shared", "-nostdlib", "-O3", "-mcpu=baseline")


def find_library(source: Path, folder: Path) -> Path:
    """Where the compiled file is in a folder; a changed source or flag, or another kind of machine, has another."""
    digest = hashlib.sha256(" ".join(FLAGS).encode() + source.read_bytes()).hexdigest()[:12]
    return folder / f"{source.stem}-{sys.platform}-{platform.machine()}-{digest}.so"


def compile_shared(source: Path, folder: Path) -> Path:
    """Compile a C file to a shared library in the folder. Raises ConfigurationError."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise ConfigurationError(
            "the package ziglang, which compiles what computes with bars, is missing: run `uv sync`"
        )
    library = find_library(source, folder)
    command = [Path(found.origin).with_name("zig"), *FLAGS, "-o", library, source]
    try:
        with TemporaryDirectory() as name:
            caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), name)
            subprocess.run(command, env=os.environ | caches, check=True, capture_output=True, text=True)  # noqa: S603 - of the package
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise ConfigurationError(
            f"{source.name}, which computes with bars, cannot be compiled: {said.strip()}"
        ) from error
    return library


def keep_library(library: Path, folder: Path) -> Path:
    """Copy a library into a folder in one step: another process finds it whole or not at all.

    Returns:
        Where it is to be loaded from: where it was, if the folder may not be written.
    """
    if not os.access(folder, os.W_OK):
        return library
    with NamedTemporaryFile(dir=folder, delete_on_close=False) as copy:
        copy.write(library.read_bytes())
        copy.close()
        Path(copy.name).chmod(0o755)
        return Path(copy.name).replace(folder / library.name)


if __name__ == "__main__":
    for one in SOURCES:
        compile_shared(one, one.parent)
