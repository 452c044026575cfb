"""The environment of processes that tests only ever kill: coverage does not measure what no process lives to write."""

from collections.abc import Mapping


def without_coverage(environment: Mapping[str, str]) -> dict[str, str]:
    """These variables without the one by which coverage begins in a new process."""
    return {name: value for name, value in environment.items() if name != "COVERAGE_PROCESS_CONFIG"}
