"""Reconciliations over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from portfoliomanager.services import Services, services

router = APIRouter(prefix="/reconciliations", tags=["reconciliations"])


@router.post("", summary="Ask the broker about every unfinished order")
async def reconcile(parts: Annotated[Services, Depends(services)]) -> dict[str, Any]:
    """Book fills, move finished runs on, write an account snapshot, and flag what is not ours."""
    done, foreign = await parts.cycle.reconcile()
    return {"resolved": done.resolved, "open": done.open, "unresolved": done.unresolved, "foreign": foreign}
