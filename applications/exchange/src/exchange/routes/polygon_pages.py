"""Filters, order and pages of the vendor's reference lists.

Parameters are `name`, `name.gt` and its like, `sort`, `order`, `limit`, and the cursor of `next_url`. The cursor
carries the first page's parameters and day, so that later pages go through the same list.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, urlencode

import polars as pl
from fastapi import Request

from exchange.routes.polygon_answers import PolygonError, today

type Value = str | float | date | bool
type ColumnType = type[str | float | date | bool]
type Cell = Value | None
type JsonValue = str | float | bool | None

LARGEST_LIMIT = 1000
OPERATORS: dict[str, Callable[[pl.Expr, Value], pl.Expr]] = {
    "": lambda column, value: column == value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


PARSERS: dict[ColumnType, Callable[[str], Value]] = {
    str: str,
    float: float,
    date: date.fromisoformat,
    bool: lambda text: {"true": True, "false": False}[text.lower()],
}
EXPECTED: dict[ColumnType, str] = {
    str: "text",
    float: "a number",
    date: "a date as YYYY-MM-DD",
    bool: "true or false",
}


@dataclass(frozen=True)
class ListShape:
    """The columns that a list can be filtered and sorted by, with their types, and the defaults."""

    columns: Mapping[str, ColumnType]
    sort: str
    order: str
    limit: int
    largest_limit: int = LARGEST_LIMIT


@dataclass(frozen=True)
class ListRequest:
    """One request, its cursor decoded: `parameters` without cursor and key, `day` the list is read on."""

    parameters: dict[str, str]
    day: date
    offset: int


def read_list_request(request: Request) -> ListRequest:
    """Open the cursor, if there is one; it replaces every other parameter. PolygonError 400 for a broken one.

    A cursor's day is never later than the exchange's own.
    """
    given = {name: value for name, value in request.query_params.items() if name != "apiKey" and value}
    if "cursor" not in given:
        return ListRequest(given, today(request), 0)
    try:
        held = dict(parse_qsl(urlsafe_b64decode(given["cursor"].encode()).decode(), strict_parsing=True))
        day, offset = date.fromisoformat(held.pop("as_of")), int(held.pop("offset"))
    except (ValueError, KeyError, binascii.Error) as error:
        raise PolygonError(400, "Invalid parameter 'cursor': use next_url as it was given") from error
    return ListRequest(held, min(day, today(request)), max(0, offset))


@dataclass(frozen=True)
class Page:
    """The rows of one page as JSON values, and the address of the next page where there is one."""

    rows: list[dict[str, JsonValue]]
    next_url: str | None


def cut_page(request: Request, asked: ListRequest, rows: pl.DataFrame, shape: ListShape) -> Page:
    """Filter, order and cut the rows.

    Raises PolygonError 400 for a value, operator, sort, order or limit that the list does not have.
    """
    limit = _limit(asked.parameters.get("limit"), shape)
    chosen = rows.filter(_filters(asked.parameters, shape.columns)).pipe(_ordered, asked.parameters, shape)
    following = asked.offset + limit
    next_url = _next_url(request, asked, following) if following < chosen.height else None
    return Page([_plain(row) for row in chosen.slice(asked.offset, limit).iter_rows(named=True)], next_url)


def _filters(parameters: Mapping[str, str], columns: Mapping[str, ColumnType]) -> list[pl.Expr]:
    filters: list[pl.Expr] = [pl.lit(value=True)]
    for key, text in parameters.items():
        name, _, operator = key.partition(".")
        if name not in columns:
            continue
        if operator == "any_of":
            filters.append(pl.col(name).is_in([_value(item, key, columns[name]) for item in text.split(",")]))
        elif operator in OPERATORS:
            filters.append(OPERATORS[operator](pl.col(name), _value(text, key, columns[name])))
        else:
            raise PolygonError(400, f"Invalid parameter '{key}': use one of gt, gte, lt, lte, any_of")
    return filters


def _value(text: str, name: str, kind: ColumnType) -> Value:
    try:
        return PARSERS[kind](text)
    except (ValueError, KeyError) as error:
        raise PolygonError(400, f"Invalid parameter '{name}': expected {EXPECTED[kind]}, not '{text}'") from error


def _ordered(rows: pl.DataFrame, parameters: Mapping[str, str], shape: ListShape) -> pl.DataFrame:
    sort, _, suffix = parameters.get("sort", shape.sort).partition(".")  # newer lists take `column.asc`
    order = suffix or parameters.get("order", shape.order)
    if sort not in shape.columns:
        raise PolygonError(400, f"Invalid parameter 'sort': use one of {', '.join(shape.columns)}")
    if order not in {"asc", "desc"}:
        raise PolygonError(400, "Invalid parameter 'order': use asc or desc")
    return rows.sort(list(dict.fromkeys([sort, "ticker"])), descending=order == "desc", nulls_last=True)


def _limit(text: str | None, shape: ListShape) -> int:
    if text is None:
        return shape.limit
    if not text.isdecimal() or not 1 <= int(text) <= shape.largest_limit:
        raise PolygonError(400, f"Invalid parameter 'limit': use 1 to {shape.largest_limit}")
    return int(text)


def _next_url(request: Request, asked: ListRequest, offset: int) -> str:
    held = asked.parameters | {"as_of": asked.day.isoformat(), "offset": str(offset)}
    cursor = urlsafe_b64encode(urlencode(held).encode()).decode()
    return f"{request.url.replace(query='')}?{urlencode({'cursor': cursor})}"


def _plain(row: Mapping[str, Cell]) -> dict[str, JsonValue]:
    """JSON as the vendor writes it: dates as text, whole numbers without a point, unknown things left out."""
    return {name: _json_value(value) for name, value in row.items() if value is not None}


def _json_value(value: Cell) -> JsonValue:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value
