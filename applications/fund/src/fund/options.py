"""The choices that options of the command line and keys of `fund.toml` share."""

from enum import StrEnum


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
