"""Loads bars.c as a shared library, compiled where it is not yet, and describes its functions."""

import ctypes
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from internal.bar_kernels.compiler import SOURCE, compile_shared, find_library
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


@cache
def load() -> ctypes.CDLL:
    """The compiled functions; each call lets other threads run Python.

    Raises:
        ConfigurationError: The compiler is missing or fails, or nothing in the temporary folder may be written or run.
    """
    shipped = find_library(SOURCE, SOURCE.parent)
    try:
        functions = ctypes.CDLL(str(shipped)) if shipped.exists() else _compile()
    except OSError as error:
        raise ConfigurationError(
            f"what adjusts bars cannot be loaded ({error}); set TMPDIR to a folder whose programs may be run"
        ) from error
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


def _compile() -> ctypes.CDLL:
    """Compile and load; what is loaded stays so when its file is gone. Raises ConfigurationError, OSError."""
    with TemporaryDirectory() as name:
        return ctypes.CDLL(str(compile_shared(SOURCE, Path(name))))
