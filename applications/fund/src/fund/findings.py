"""The result of one check of `fund doctor`, for the terminal and as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import typer

from internal.terminal_lines import WHOLE, wrap

INDENT = " " * 6


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


def show_findings(findings: Iterable[Finding], width: int) -> list[Finding]:
    """Print one line a check as soon as it is done; a fault is followed by what to do."""
    inner, shown = max(width - len(INDENT), WHOLE), list[Finding]()
    for finding in findings:
        shown.append(finding)
        mark = typer.style("ok", fg="green") + "   " if finding.healthy else typer.style("fault", fg="red")
        first, *below = wrap(f"{finding.subject}: {finding.seen}", inner)
        if finding.remedy is not None:
            below += wrap(f"-> {finding.remedy}", inner, "   ")
        typer.echo("\n".join([f"{mark} {first}", *(INDENT + line for line in below)]))
    return shown


def format_findings(findings: Sequence[Finding]) -> str:
    """The checks as a JSON list."""
    return json.dumps([{**asdict(finding), "healthy": finding.healthy} for finding in findings], indent=2)
