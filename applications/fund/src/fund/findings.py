"""The result of one check of `fund doctor`, for the terminal and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: What was checked.
        seen: What was found.
        remedy: What to do about a fault, None when there is none.
    """

    subject: str
    seen: str
    remedy: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to do."""
        return self.remedy is None


def show_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print one line a check; a fault is followed by what to do."""
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.healthy else "[red]fault[/red]"
        console.print(f"{mark} {escape(f'{finding.subject}: {finding.seen}')}", soft_wrap=True)
        if finding.remedy is not None:
            console.print(f"      -> {escape(finding.remedy)}", soft_wrap=True)


def format_findings(findings: Sequence[Finding]) -> str:
    """The checks as a JSON list."""
    return json.dumps([{**asdict(finding), "healthy": finding.healthy} for finding in findings], indent=2)
