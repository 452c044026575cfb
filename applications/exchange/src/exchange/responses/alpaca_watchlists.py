"""Alpaca's watchlists."""

from pydantic import BaseModel

from exchange.responses.alpaca import AssetBody


class WatchlistSummary(BaseModel):
    """A watchlist without its assets."""

    id: str
    account_id: str
    created_at: str
    updated_at: str
    name: str


class WatchlistBody(WatchlistSummary):
    """A watchlist with its assets, in its own order."""

    assets: list[AssetBody]
