"""Filters, order and pages of the vendor's reference lists.

Knows `name`, `name.gt` and its like, `sort`, `order`, `limit` and the cursor of `next_url`, which carries the first
page's whole question and day, so that later pages go through the same list. Knows no particular list.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

import polars as pl
from fastapi import Request

from exchange.routes.polygon_answers import PolygonError, request_id, today

LARGEST_LIMIT = 1000
OPERATORS: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "": lambda column, value: column == value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


@dataclass(frozen=True)
class ListShape:
    """What one list can be asked by: column types, and what stands where nothing is asked."""

    columns: Mapping[str, type[str | float | date | bool]]
    sort: str
    order: str
    limit: int


@dataclass(frozen=True)
class Question:
    """One request, its cursor opened: `parameters` without cursor and key, `day` the list is read on."""

    parameters: dict[str, str]
    day: date
    offset: int


def read_question(request: Request) -> Question:
    """Open the cursor, if there is one; it replaces every other parameter. PolygonError 400 for a broken one.

    A cursor's day never lies after the exchange's own.
    """
    asked = {name: value for name, value in request.query_params.items() if name != "apiKey" and value}
    if "cursor" not in asked:
        return Question(asked, today(request), 0)
    try:
        held = dict(parse_qsl(urlsafe_b64decode(asked["cursor"].encode()).decode(), strict_parsing=True))
        day, offset = date.fromisoformat(held.pop("as_of")), int(held.pop("offset"))
    except (ValueError, KeyError, binascii.Error) as error:
        raise PolygonError(400, "Invalid parameter 'cursor': use next_url as it was given") from error
    return Question(held, min(day, today(request)), max(0, offset))


def answer_page(request: Request, question: Question, rows: pl.DataFrame, shape: ListShape) -> dict[str, Any]:
    """Filter, order and cut the rows; the vendor's envelope with `next_url` where there are more.

    Raises PolygonError 400 for a value, operator, sort, order or limit that the list does not know.
    """
    limit = _limit(question.parameters.get("limit"), shape.limit)
    chosen = rows.filter(_filters(question.parameters, shape.columns)).pipe(_ordered, question.parameters, shape)
    page = chosen.slice(question.offset, limit).to_dicts()
    body: dict[str, Any] = {
        "results": [_plain(row) for row in page],
        "status": "OK",
        "request_id": request_id(),
        "count": len(page),
    }
    following = question.offset + limit
    return body | ({"next_url": _next_url(request, question, following)} if following < chosen.height else {})


def _filters(parameters: Mapping[str, str], columns: Mapping[str, type]) -> list[pl.Expr]:
    filters = [pl.lit(value=True)]
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


def _value(text: str, name: str, kind: type) -> object:
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return date.fromisoformat(text) if kind is date else kind(text)
    except (ValueError, KeyError) as error:
        wanted = {date: "a date as YYYY-MM-DD", float: "a number", bool: "true or false"}[kind]
        raise PolygonError(400, f"Invalid parameter '{name}': expected {wanted}, not '{text}'") from error


def _ordered(rows: pl.DataFrame, parameters: Mapping[str, str], shape: ListShape) -> pl.DataFrame:
    sort, order = parameters.get("sort", shape.sort), parameters.get("order", shape.order)
    if sort not in shape.columns:
        raise PolygonError(400, f"Invalid parameter 'sort': use one of {', '.join(shape.columns)}")
    if order not in {"asc", "desc"}:
        raise PolygonError(400, "Invalid parameter 'order': use asc or desc")
    return rows.sort(list(dict.fromkeys([sort, "ticker"])), descending=order == "desc", nulls_last=True)


def _limit(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_LIMIT:
        raise PolygonError(400, f"Invalid parameter 'limit': use 1 to {LARGEST_LIMIT}")
    return int(text)


def _next_url(request: Request, question: Question, offset: int) -> str:
    held = question.parameters | {"as_of": question.day.isoformat(), "offset": str(offset)}
    cursor = urlsafe_b64encode(urlencode(held).encode()).decode()
    return f"{request.url.replace(query='')}?{urlencode({'cursor': cursor})}"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON as the vendor writes it: dates as text, whole numbers without a point, unknown things left out."""
    return {name: _json_value(value) for name, value in row.items() if value is not None}


def _json_value(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value
