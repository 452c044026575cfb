"""Reconciliations over HTTP."""

import asyncio

from fastapi import APIRouter

from portfoliomanager.requests import ReconciliationRequest
from portfoliomanager.responses import ReconciliationResponse
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/reconciliations", tags=["reconciliations"])


@router.post("", summary="Ask the broker about every unfinished order")
async def post_reconciliation(
    services: RequestServices, body: ReconciliationRequest | None = None
) -> ReconciliationResponse:
    """Record fills, move finished runs on, write an account snapshot, and report what is not the fund's."""
    accept = body is not None and body.accept_broker_state
    outcome = await asyncio.to_thread(services.operations.reconcile, accept_broker_state=accept)
    return ReconciliationResponse.of(outcome)
