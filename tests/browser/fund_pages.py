"""The pages of portfoliomanager, found among its routes, and the addresses that they have in a fund that runs."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
import pytest
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from infrastructure.smoke import addresses, bearer_token
from internal.http.bearer import bearer_headers
from portfoliomanager.pages.frame import NAVIGATION
from portfoliomanager.server import ROUTES


def _answers_page(route: APIRoute) -> bool:
    """Whether a browser that asks gets a whole page."""
    if "GET" not in (route.methods or ()) or route.path.startswith("/fragments/"):
        return False
    return route.response_class is HTMLResponse or "text/html" in route.responses.get(200, {}).get("content", {})


def _list_pages() -> list[str]:
    routes = (route for module in ROUTES for route in module.router.routes)
    return [route.path_format for route in routes if isinstance(route, APIRoute) and _answers_page(route)]


PAGES = _list_pages()
"""The paths of all pages, with placeholders."""
FRAMED = ("/", "/predictions/{ticker}/explanation")  # they share a frame: one page of the navigation, and one below it
every_page = pytest.mark.parametrize("path", PAGES)
NAVIGATED = tuple(page.value for page in NAVIGATION)


def name_of(path: str) -> str:
    """The name of a page's screenshots."""
    return path.strip("/").translate({ord("/"): "-", ord("{"): None, ord("}"): None}) or "fund"


@dataclass(frozen=True)
class RunningFund:
    """A fund whose pages are looked at.

    Attributes:
        url: The base URL of its portfoliomanager, which serves the pages.
        token: The owner's.
    """

    url: str
    token: str

    @classmethod
    def from_environment(cls) -> "RunningFund":
        """The fund of `FUND_HOME` and the ports in the environment, as the smoke check finds it."""
        return cls(addresses(os.environ)["portfoliomanager"], bearer_token(os.environ))

    def address(self, path: str) -> str:
        """The URL of a page, its placeholders filled with what the fund has."""
        found = {name: find(self, path) for name, find in PLACEHOLDERS.items() if f"{{{name}}}" in path}
        return self.url + path.format_map(found)

    @cached_property
    def ticker(self) -> str:
        """A ticker with a forecast."""
        return str(self._ask("/predictions")[0]["ticker"])

    @cached_property
    def session(self) -> str:
        """The last session that was decided."""
        return str(self._ask("/portfolios/decisions?since=2000-01-01")[-1]["date"])

    def find_linked(self, path: str) -> str:
        """The name in the first link of the page Research to such a page; LookupError without one."""
        page = httpx.get(f"{self.url}/research", headers=bearer_headers(self.token), timeout=30, trust_env=False)
        found = re.search(rf'href="{path.removesuffix("{name}")}([0-9a-f]{{16}})"', page.raise_for_status().text)
        if found is None:
            raise LookupError(f"nothing is there for {path}: run ./fund backtest and ./fund sweep first")
        return found[1]

    def _ask(self, path: str) -> list[dict[str, Any]]:
        headers = {"Accept": "application/json"} | bearer_headers(self.token)
        answer = httpx.get(self.url + path, headers=headers, timeout=30, trust_env=False).raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows


PLACEHOLDERS: Mapping[str, Callable[[RunningFund, str], str]] = {
    "ticker": lambda fund, _path: fund.ticker,
    "day": lambda fund, _path: fund.session,
    "name": lambda fund, path: fund.find_linked(path),
}
"""What each placeholder of a page's path is filled with."""
