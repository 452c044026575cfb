"""Where the command `models` begins: while its modules load, Ctrl-C ends it without a traceback."""

from internal.interrupts import run_interruptible

TYPE_CHECKING = False  # `typing` would be read before Ctrl-C is handled
if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Run the command line."""
    run_interruptible(load)


def load() -> "Callable[[], None]":
    """Load the command line."""
    from models.__main__ import main as run  # noqa: PLC0415 - loading it takes seconds

    return run


if __name__ == "__main__":
    main()
