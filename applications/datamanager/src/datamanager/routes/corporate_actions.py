"""Corporate actions over HTTP: all kinds, and splits and dividends as their projections.

They are collected together with the bars of their days.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from datamanager import queries
from datamanager.routes.parameters import KnownAt, OptionalPeriod, RowNaming, Tickers, split_at_commas
from datamanager.services import RequestServices
from internal.action_kinds import ActionKind
from internal.errors import InvalidRequestError
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import corporate_actions

router = APIRouter(prefix="/corporate-actions", tags=["corporate actions"])
KindList = Annotated[
    str | None, Query(description="Kinds, separated by commas", examples=["forward_split,cash_dividend"])
]


@router.get(
    "",
    summary="Corporate actions of a range",
    responses=document_response_frame(corporate_actions.CORPORATE_ACTIONS_COLUMNS),
    response_class=Response,
)
def get_corporate_actions(  # noqa: PLR0913, PLR0917 - one parameter of the query each
    request: Request,
    services: RequestServices,
    period: OptionalPeriod,
    tickers: Tickers,
    as_of: KnownAt,
    naming: RowNaming,
    kinds: KindList = None,
) -> Response:
    """The actions in force, ordered by effective date, ticker and id; without a range, all.

    With `as_of`, what was in force by what had been recorded at that moment.
    """
    negotiate(request.headers.get("accept"))
    query = queries.ActionsQuery(period, tickers, _read_kinds(kinds), as_of, naming)
    return frame_response(queries.read_actions(services.lake, query), request)


@router.get(
    "/splits",
    summary="Splits of a range",
    responses=document_response_frame(corporate_actions.SPLITS_COLUMNS),
    response_class=Response,
)
def get_splits(
    request: Request, services: RequestServices, period: OptionalPeriod, tickers: Tickers, as_of: KnownAt = None
) -> Response:
    """Splits and stock dividends ordered by execution date and ticker; without a range, all."""
    negotiate(request.headers.get("accept"))
    query = queries.ActionsQuery(period, tickers, known_at=as_of)
    return frame_response(queries.read_splits(services.lake, query), request)


@router.get(
    "/dividends",
    summary="Dividends of a range",
    responses=document_response_frame(corporate_actions.DIVIDENDS_COLUMNS),
    response_class=Response,
)
def get_dividends(
    request: Request, services: RequestServices, period: OptionalPeriod, tickers: Tickers, as_of: KnownAt = None
) -> Response:
    """Cash dividends ordered by ex-date, ticker and amount; without a range, all."""
    negotiate(request.headers.get("accept"))
    query = queries.ActionsQuery(period, tickers, known_at=as_of)
    return frame_response(queries.read_dividends(services.lake, query), request)


def _read_kinds(text: str | None) -> list[ActionKind] | None:
    names = split_at_commas("kinds", text)
    unknown = sorted(set(names or ()) - {kind.value for kind in ActionKind})
    if unknown:
        raise InvalidRequestError(f"no such kinds: {', '.join(unknown)}; there are {', '.join(ActionKind)}")
    return None if names is None else [ActionKind(name) for name in names]
