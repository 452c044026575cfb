"""Where the command `fund` begins: while its modules load, Ctrl-C ends it without a traceback."""

import signal


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from fund.__main__ import main as run  # noqa: PLC0415 - loading it takes a tenth of a second

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
