"""`fund data check`: the state of the data on one page; `fund data release`: bars out of the quarantine, by hand."""

import getpass
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date

import typer
from rich.console import Console
from rich.markup import escape

from fund.addresses import Addresses
from fund.data_import import open_datamanager
from fund.folder import FundFolder
from fund.unopened import require_opened
from internal.http.datamanager_client import DatamanagerClient
from internal.http.datamanager_responses import ActionCounts, DataCheck, QuarantinedReason, SessionCounts

PAGE_WIDTH = 80
SHOWN_SESSIONS = 5


def check_data(start: date | None, end: date | None, *, as_json: bool) -> bool:
    """Show the state of the data, of two days or of the last 90; whether something needs doing."""
    with _open_datamanager() as datamanager:
        found = datamanager.check_data(start, end)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show_check(found, Console(width=PAGE_WIDTH))
    return bool(found.to_do)


def release_bars(bars: Sequence[str], who: str | None, why: str) -> None:
    """Release bars from the quarantine, and say how many."""
    keys = [parse_key(text) for text in bars]
    with _open_datamanager() as datamanager:
        released = datamanager.release_bars(keys, released_by=who or getpass.getuser(), why=why)
    typer.echo(f"{released.rows} bars released; the bars' version is now {released.bars_version}.")


def _open_datamanager() -> AbstractContextManager[DatamanagerClient]:
    """The datamanager of the fund's folder. Raises ConfigurationError where the folder holds no fund."""
    folder = FundFolder.from_environment()
    require_opened(folder)
    return open_datamanager(folder, Addresses.of_running(folder))


def parse_key(text: str) -> tuple[str, date]:
    """Ticker and session of `TICKER:DATE`."""
    ticker, _, day = text.rpartition(":")
    try:
        if ticker:
            return ticker, date.fromisoformat(day)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is no TICKER:DATE, for example AAPL:2024-12-31")


def show_check(found: DataCheck, console: Console) -> None:
    """Print the page."""
    console.print(f"[bold]Data from {found.start} to {found.end}[/bold]")
    for line in (
        *_describe_sessions(found.sessions),
        *_describe_quarantine(found.quarantine, found.released),
        _describe_actions(found.actions),
        f"disagreements of two vendors: {_join(found.disagreements) or 'none recorded'}",
    ):
        console.print(escape(line), highlight=False)
    console.print("[bold]To do[/bold]" if found.to_do else "[bold]Nothing needs doing.[/bold]")
    for number, sentence in enumerate(found.to_do, start=1):
        console.print(escape(f"{number}. {sentence}"), highlight=False)


def _describe_sessions(counts: SessionCounts) -> list[str]:
    came = f"{counts.expected} expected, {counts.present} present, {len(counts.late)} late"
    lines = [f"sessions since {counts.first}: {came}, {len(counts.missing)} missing, {len(counts.repaired)} repaired"]
    lines += [f"  {one.date}: {one.reason} (asked {one.attempts} times)" for one in counts.missing[:SHOWN_SESSIONS]]
    more = len(counts.missing) - SHOWN_SESSIONS
    return [*lines, f"  and {more} more"] if more > 0 else lines


def _describe_quarantine(reasons: list[QuarantinedReason], released: int) -> list[str]:
    rows = sum(one.rows for one in reasons)
    lines = [f"quarantine: {rows} rows, {released} released"]
    for one in reasons:
        lines += [f"  {one.rows:>6} {one.reason}: {', '.join(one.examples)}", f"         -> {one.remedy}"]
    return lines


def _describe_actions(actions: ActionCounts) -> str:
    counts = f"{actions.in_force} in force, {actions.corrected} of them corrected, {actions.withdrawn} withdrawn"
    return f"corporate actions: {counts}"


def _join(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
