"""Finds a C compiler for tinygrad and sets tinygrad's environment variables, before tinygrad reads them.

A system clang is preferred; else the wheel `ziglang`, whose `zig clang` takes clang's own arguments.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from internal.errors import ConfigurationError

_FLAGS = ("-c", "-x", "c", "-O2", "-ffreestanding", "-march=native", "-", "-o", os.devnull)
_PROBE = b"typedef float v __attribute__((vector_size(32))); v twice(v x) { return x + x; }"


def _cache_folder() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "pocketsizefund"


def _compiles(command: str) -> bool:
    """Whether the command compiles a vector function for this processor."""
    try:
        return subprocess.run([command, *_FLAGS], input=_PROBE, capture_output=True, check=False).returncode == 0  # noqa: S603 (the command is a compiler found on this machine)
    except OSError:
        return False


def ziglang_script(folder: Path) -> Path | None:
    """Write a small script that runs `zig clang`, because tinygrad's CC is one word; None without the wheel."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        return None
    zig = Path(found.origin).parent / "zig"
    text = f'#!/bin/sh\nexec "{zig}" clang "$@"\n'
    script = folder / f"zig-clang-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = script.with_suffix(f".{os.getpid()}")
        draft.write_text(text)
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR)
        draft.replace(script)
    return script


def find_compiler(folder: Path) -> str:
    """Find a clang that works: `CC` if it is one, else the system's, else the wheel's through a script in `folder`.

    Raises:
        ConfigurationError: None works.
    """
    chosen = os.environ.get("CC")
    candidates = [shutil.which("clang"), ziglang_script(folder)]
    if chosen is not None and "clang" in Path(chosen).name:  # CC=gcc, set for other tools, cannot serve tinygrad
        candidates.insert(0, shutil.which(chosen))
    for candidate in candidates:
        if candidate is not None and _compiles(str(candidate)):
            return str(candidate)
    raise ConfigurationError(
        "the model needs a C compiler: no clang that works is on the PATH, and the package ziglang is missing or "
        "broken; run `uv sync`, or install clang"
    )


def describe_processor() -> str:
    """What the machine code depends on: architecture and instruction sets."""
    description = Path("/proc/cpuinfo")
    lines = description.read_text().splitlines() if description.exists() else [platform.processor()]
    kept = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return platform.machine() + "".join(sorted(set(kept)))


def _remove_installation_folder(resolved: bytes) -> bytes:
    """Take out where the compiler is installed: the same wheel in another environment makes the same machine code."""
    found = re.search(rb"^InstalledDir: (.+)/", resolved, re.MULTILINE)
    return resolved if found is None else resolved.replace(found[1], b"")


def cache_key(compiler: str) -> str:
    """Hash everything that changes the machine code of a text: compiler, flags, processor.

    `-###` makes clang print what it would do: its version, the processor that it found, and every flag, also those that
    a wrapper adds. tinygrad's own flags are part of its version.
    """
    words = [compiler, "-###", *_FLAGS]
    resolved = subprocess.run(words, capture_output=True, check=True, stdin=subprocess.DEVNULL, cwd="/").stderr  # noqa: S603 (a compiler found on this machine)
    resolved = _remove_installation_folder(resolved)
    return hashlib.sha256(resolved + version("tinygrad").encode() + describe_processor().encode()).hexdigest()[:16]


@cache
def configure() -> str:
    """Set CC, DEV, CACHEDB and PARALLEL for tinygrad; return the compiler's command.

    Each compiler, set of flags and processor has a kernel cache of its own: tinygrad's key holds none of them.
    Compilation stays in this process: tinygrad's pool of workers would outlive a service that is killed.
    DEV, CACHEDB and PARALLEL stay as they are where the user has set them.

    Raises:
        ConfigurationError: neither a system clang nor `ziglang` compiles anything.
    """
    folder = _cache_folder()
    compiler = find_compiler(folder)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["CC"] = compiler
    os.environ.setdefault("DEV", "CPU")
    os.environ.setdefault("CACHEDB", str(folder / f"kernels-{cache_key(compiler)}.db"))
    os.environ.setdefault("PARALLEL", "0")
    loaded: Any = sys.modules.get("tinygrad.helpers")
    if loaded is not None:  # tinygrad was imported first, and it reads these three once
        loaded.CACHEDB = os.environ["CACHEDB"]
        loaded.DEV.value = os.environ["DEV"]
        loaded.PARALLEL.value = int(os.environ["PARALLEL"])
    return compiler
