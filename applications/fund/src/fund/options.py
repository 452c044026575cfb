"""The options that commands share, and the choices that they share with keys of `fund.toml`."""

from enum import StrEnum
from typing import Annotated

import typer

TYPED = "./fund"  # how the program is named in usage lines and messages
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Events(StrEnum):
    """How often things happen to the securities of a simulated market."""

    NONE = "none"
    REALISTIC = "realistic"
    FREQUENT = "frequent"


class Signal(StrEnum):
    """The predictable signals that simulated prices can hold."""

    NONE = "none"
    MOMENTUM = "momentum"


class ModelSize(StrEnum):
    """The sizes of the network."""

    SMALL = "small"
    FULL = "full"
