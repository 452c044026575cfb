"""Loads the C files as shared libraries, compiled where they are not yet, and describes their functions."""

import ctypes
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from internal.bar_kernels.compiler import BARS, PANEL, VARIABLES, VOLATILITY, compile_shared, find_library, keep_library
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


class Bars(ctypes.Structure):
    """`bars` of panel.c."""

    _fields_: ClassVar = [
        *((name, Address) for name in ("days", "open", "high", "low", "close", "volume", "average")),
        *((name, Address) for name in ("order", "ends", "verdicts")),
    ]


class Grid(ctypes.Structure):
    """`grid` of panel.c."""

    _fields_: ClassVar = [
        ("places", Address),
        *((name, ctypes.c_int64) for name in ("first", "last", "sessions", "maximum_gap")),
        ("absurd_ratio", ctypes.c_double),
    ]


class PanelColumns(ctypes.Structure):
    """`panel` of panel.c."""

    _fields_: ClassVar = [
        *((name, Address) for name in ("days", "sessions", "segments", "ages", "traded")),
        *((name, Address) for name in ("open", "high", "low", "close", "volume", "average")),
    ]


class Trailing(ctypes.Structure):
    """`trailing` of variables.c."""

    _fields_: ClassVar = [
        *((name, ctypes.c_double) for name in ("decay", "recent_share", "floor")),
        *((name, ctypes.c_int64) for name in ("long_run", "fewest")),
    ]


class ObservedFrom(ctypes.Structure):
    """`panel` of variables.c."""

    _fields_: ClassVar = [
        *((name, Address) for name in ("ends", "log", "square_root")),
        *((name, Address) for name in ("open", "high", "low", "close", "volume", "traded", "average")),
    ]


class Variables(ctypes.Structure):
    """`variables` of variables.c."""

    _fields_: ClassVar = [
        *(
            (name, Address)
            for name in ("log_return", "open", "surprise", "daily_return", "volatility", "range_variance")
        ),
        *((name, Address) for name in ("average", "high", "low", "recent", "range")),
    ]


class Column(ctypes.Structure):
    """`column` of volatility.c."""

    _fields_: ClassVar = [("values", Address), ("sums", Address), ("lengths", Address), ("segments", ctypes.c_int64)]


class Windowed(ctypes.Structure):
    """`windowed` of volatility.c."""

    _fields_: ClassVar = [
        ("window", ctypes.c_int64),
        ("fewest", ctypes.c_int64),
        ("smallest", ctypes.c_double),
        ("is_squared", ctypes.c_int32),
    ]


class Standards(ctypes.Structure):
    """`standards` of volatility.c."""

    _fields_: ClassVar = [("center", Address), ("spread", Address), ("largest", ctypes.c_double)]


class Terms(ctypes.Structure):
    """`terms` of volatility.c."""

    _fields_: ClassVar = [
        *(("intercepts", Address), ("history", Address), ("count", ctypes.c_int64)),
        *(("own", Address), ("flags", Address)),
    ]


class ByStep(ctypes.Structure):
    """`by_step` of volatility.c."""

    _fields_: ClassVar = [("values", Address), ("stride", ctypes.c_int64)]


class Intervals(ctypes.Structure):
    """`intervals` of volatility.c."""

    _fields_: ClassVar = [("low", Address), ("high", Address), ("values", ctypes.c_int64)]


class Averaged(ctypes.Structure):
    """`averaged` of volatility.c."""

    _fields_: ClassVar = [("values", Address), ("around", Address), ("largest", ctypes.c_double)]


class Moves(ctypes.Structure):
    """`moves` of volatility.c."""

    _fields_: ClassVar = [
        *((name, Address) for name in ("change", "surprise", "volatility", "sessions", "lengths")),
        *((name, ctypes.c_int64) for name in ("segments", "first")),
        *((name, Address) for name in ("usual_change", "usual_surprise")),
        *((name, ctypes.c_double) for name in ("largest_size", "least_surprise", "largest_surprise", "largest")),
        ("exponential", Address),
    ]


class History(ctypes.Structure):
    """`history` of volatility.c."""

    _fields_: ClassVar = [
        ("spikes", Address),
        ("asked", Address),
        ("lengths", Address),
        ("begun", Address),
        ("segments", ctypes.c_int64),
        ("backs", Address),
        ("sessions", ctypes.c_int64),
        ("horizon", ctypes.c_int64),
    ]


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
def load_panel() -> ctypes.CDLL:
    """The functions of panel.c, as `load` has those of bars.c."""
    functions, of = _open(PANEL), [ctypes.POINTER(Bars), ctypes.POINTER(Grid), ctypes.c_int64, ctypes.c_int64]
    functions.order_rows.argtypes = [Address, Address, ctypes.c_int64, ctypes.c_int64, Address, Address]
    functions.order_rows.restype = ctypes.c_int64
    functions.judge_bars.argtypes, functions.judge_bars.restype = [*of, Address], None
    functions.write_rows.argtypes = [*of, Address, ctypes.c_int64, ctypes.c_uint32, ctypes.POINTER(PanelColumns)]
    functions.write_rows.restype = None
    return functions


@cache
def load_variables() -> ctypes.CDLL:
    """The function of variables.c, as `load` has those of bars.c."""
    functions = _open(VARIABLES)
    of = [ctypes.POINTER(ObservedFrom), ctypes.POINTER(Trailing)]
    functions.observe_rows.argtypes = [*of, ctypes.c_int64, ctypes.c_int64, ctypes.POINTER(Variables)]
    functions.observe_rows.restype = None
    return functions


def find_function(name: str) -> int:
    """The address of a function of the C library for numbers, which Polars calls too."""
    return ctypes.cast(getattr(ctypes.CDLL(None), name), Address).value or 0


@cache
def load_volatility() -> ctypes.CDLL:
    """The functions of volatility.c, as `load` has those of bars.c."""
    functions, column = _open(VOLATILITY), ctypes.POINTER(Column)
    functions.sum_segments.argtypes, functions.sum_segments.restype = [column], ctypes.c_int32
    functions.mean_windows.argtypes = [column, ctypes.POINTER(Windowed), Address]
    standards = ctypes.POINTER(Standards)
    functions.standardise_inputs.argtypes = [standards, Address, ctypes.c_int64, ctypes.c_int64]
    functions.standardise_rows.argtypes = [standards, Address, ctypes.c_int64, ctypes.c_int64]
    functions.add_terms.argtypes = [ctypes.POINTER(Terms), Address, ctypes.c_int64, ctypes.c_int64]
    functions.multiply_rows.argtypes = [Address, ctypes.c_int64, ctypes.c_int64, Address]
    functions.returns_ahead.argtypes = [Address, Address, Address, ctypes.c_int64, ctypes.c_int64, Address]
    functions.log_sizes_ahead.argtypes = [
        *(Address, Address, Address, ctypes.c_int64, ctypes.c_double, Address, Address)
    ]
    by_step = ctypes.POINTER(ByStep)
    functions.write_outcomes.argtypes = [by_step, by_step, ctypes.c_int64, Address, Address, ctypes.c_int64, Address]
    judged = [ctypes.POINTER(Intervals), Address, Address, Address, Address, ctypes.c_int64]
    functions.count_inside.argtypes = [*judged, Address, Address]
    counts = [ctypes.c_int64] * 2
    functions.average_groups.argtypes = [ctypes.POINTER(Averaged), Address, *counts, Address, Address]
    functions.place_rows.argtypes = [Address, *counts, Address, Address]
    functions.split_sessions.argtypes = [Address, Address, Address, *counts, Address, Address]
    functions.sum_groups.argtypes = [Address, Address, Address, *counts, Address, Address]
    functions.find_moves.argtypes = [ctypes.POINTER(Moves), Address]
    functions.find_spikes.argtypes = [ctypes.POINTER(History), ctypes.c_int64, Address, Address]
    functions.find_spikes.restype = ctypes.c_int64
    functions.fill_features.argtypes = [Address, Address, *counts, ctypes.c_double, Address]
    standardise = functions.standardise_inputs, functions.standardise_rows
    scales = functions.add_terms, functions.multiply_rows
    outcomes = functions.returns_ahead, functions.log_sizes_ahead, functions.write_outcomes
    groups = functions.count_inside, functions.average_groups, functions.sum_groups
    sessions = functions.place_rows, functions.split_sessions
    earnings = functions.find_moves, functions.fill_features
    for function in (functions.mean_windows, *standardise, *scales, *outcomes, *groups, *sessions, *earnings):
        function.restype = None
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
    """Compile, keep for later processes where the package may be written, and load.

    What is loaded stays so when its file is gone. Raises ConfigurationError, OSError.
    """
    with TemporaryDirectory() as name:
        return ctypes.CDLL(str(keep_library(compile_shared(source, Path(name)), source.parent)))
