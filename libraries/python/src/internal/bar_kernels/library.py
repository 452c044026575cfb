"""Loads the C files as shared libraries, compiled where they are not yet, and describes their functions."""

import ctypes
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from internal.bar_kernels.compiler import BARS, WINDOWS, compile_shared, find_library
from internal.errors import ConfigurationError

Address = ctypes.c_void_p


class Strings(ctypes.Structure):
    """`strings` of bars.c."""

    _fields_: ClassVar = [("views", Address), ("texts", Address)]


class Table(ctypes.Structure):
    """`table` of bars.c."""

    _fields_: ClassVar = [
        ("listed", Strings),
        ("count", ctypes.c_int64),
        ("slots", Address),
        ("mask", ctypes.c_uint64),
    ]


class Actions(ctypes.Structure):
    """`actions` of bars.c."""

    _fields_: ClassVar = [("days", Address), ("splits", Address), ("dividends", Address)]


class Column(ctypes.Structure):
    """`column` of windows.c."""

    _fields_: ClassVar = [("values", Address), ("sums", Address), ("lengths", Address), ("segments", ctypes.c_int64)]


@cache
def load() -> ctypes.CDLL:
    """The functions of bars.c; each call lets other threads run Python. Raises ConfigurationError as `_open` does."""
    functions = _open(BARS)
    table, strings = ctypes.POINTER(Table), ctypes.POINTER(Strings)
    functions.fill_table.argtypes = [table]
    functions.find_numbers.argtypes = [table, strings, Address, ctypes.c_int64, Address]
    columns = [Address, Address, ctypes.c_int64]
    functions.adjust.argtypes = [
        table, ctypes.POINTER(Actions), Address, Address, Address, Address, ctypes.c_int64, *columns, *columns
    ]  # fmt: skip
    rows = [Address, Address, ctypes.c_int64]
    functions.merge_rows.argtypes = [strings, *rows, strings, *rows, Address]
    for function in (functions.fill_table, functions.find_numbers, functions.adjust, functions.merge_rows):
        function.restype = None
    return functions


@cache
def load_windows() -> ctypes.CDLL:
    """The functions of windows.c, as `load` has those of bars.c."""
    functions, column = _open(WINDOWS), ctypes.POINTER(Column)
    functions.sum_segments.argtypes, functions.sum_segments.restype = [column], ctypes.c_int32
    functions.mean_windows.argtypes = [column, ctypes.c_int64, ctypes.c_int64, Address]
    functions.mean_windows.restype = None
    return functions


def _open(source: Path) -> ctypes.CDLL:
    """The shared library of a C file.

    Raises:
        ConfigurationError: The compiler is missing or fails, or nothing in the temporary folder may be written or run.
    """
    shipped = find_library(source, source.parent)
    try:
        return ctypes.CDLL(str(shipped)) if shipped.exists() else _compile(source)
    except OSError as error:
        raise ConfigurationError(
            f"what computes with bars cannot be loaded ({error}); set TMPDIR to a folder whose programs may be run"
        ) from error


def _compile(source: Path) -> ctypes.CDLL:
    """Compile and load; what is loaded stays so when its file is gone. Raises ConfigurationError, OSError."""
    with TemporaryDirectory() as name:
        return ctypes.CDLL(str(compile_shared(source, Path(name))))
