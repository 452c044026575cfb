"""`fund doctor`: what is wrong with this machine, with the settings or with the running fund."""

import typer

from fund.options import JsonOption
from internal.terminal_lines import terminal_width

commands = typer.Typer(add_completion=False)


@commands.command()
def doctor(*, as_json: JsonOption = False) -> None:
    """Check machine, settings and keys, broker, clock, calendar, data and model; say what to do about each fault."""
    import os

    from fund.addresses import Addresses
    from fund.doctor import run_checks
    from fund.findings import format_findings, show_findings
    from fund.folder import FundFolder

    folder = FundFolder.from_environment()
    checks = run_checks(folder, Addresses.of_running(folder), os.environ)
    if as_json:
        findings = list(checks)
        typer.echo(format_findings(findings))
    else:
        findings = show_findings(checks, terminal_width())
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)
