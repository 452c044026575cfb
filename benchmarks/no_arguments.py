"""The command line of a benchmark without arguments: `--help` prints what it measures, anything else is refused."""

import argparse


def refuse_arguments(description: str | None) -> None:
    """Print the benchmark's docstring and end where help is asked for; end with status 2 where anything else is."""
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=description, formatter_class=formatter).parse_args()
