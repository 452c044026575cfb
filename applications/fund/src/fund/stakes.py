"""Whose money a fund trades with: its mode, the broker's address, and the line that says so everywhere."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import typer

from internal.errors import ConfigurationError
from internal.modes import LIVE_HOST, PAPER_HOST, Mode, mode_of


@dataclass(frozen=True)
class Style:
    """The colours of a mode's word."""

    background: str
    foreground: str
    bold: bool = False


BROKER_URLS: Final = {Mode.PAPER: f"https://{PAPER_HOST}", Mode.LIVE: f"https://{LIVE_HOST}"}
STYLES: Final = {
    Mode.SIMULATED: Style("cyan", "black"),
    Mode.PAPER: Style("yellow", "black"),
    Mode.LIVE: Style("red", "white", bold=True),
}


def show_banner(mode: Mode, *, err: bool = False) -> None:
    """Print the line that every command of a fund shows: LIVE, PAPER or SIMULATED, and what that means."""
    style, color = STYLES[mode], False if os.environ.get("NO_COLOR") else None
    word = typer.style(f" {mode.banner} ", bg=style.background, fg=style.foreground, bold=style.bold)
    typer.echo(f"{word} {mode.explanation}", err=err, color=color)


def choose_broker_url(mode: Mode, variables: Mapping[str, str] = os.environ) -> str:
    """The address of the mode's broker; `ALPACA_BASE_URL` may name another only where the mode stays the same.

    A paper fund may be played by a simulated exchange.

    Raises:
        ConfigurationError: The variable names an account of another mode.
    """
    given = variables.get("ALPACA_BASE_URL") or variables.get("APCA_API_BASE_URL")
    if not given:
        return BROKER_URLS[mode]
    found = mode_of(given)
    if found is mode or (found is Mode.SIMULATED and mode is Mode.PAPER):
        return given.rstrip("/").removesuffix("/v2")
    raise ConfigurationError(
        f"the fund is {mode}, but ALPACA_BASE_URL is {given}, which is {found}: remove the variable, or set mode = "
        f'"{found}" in fund.toml of another folder'
    )
