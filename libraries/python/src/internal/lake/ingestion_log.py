"""The last session that was collected, of the lake's log of collections."""

from datetime import date

import polars as pl

from internal.lake.store import Lake


def read_last_session(lake: Lake) -> date | None:
    """The last session in the ingestion log; None of an empty lake."""
    last = lake.scan("ingestion_sessions").select(pl.col("date").max()).collect().item()
    return last if isinstance(last, date) else None
