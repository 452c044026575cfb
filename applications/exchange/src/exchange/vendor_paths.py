"""Which vendor a path belongs to: Polygon's and Alpaca's interfaces are both served at the root."""

POLYGON_PATHS = (
    "/v1/indicators",
    "/v1/marketstatus",
    "/v1/open-close",
    "/v2/aggs",
    "/v2/last/",
    "/v2/reference",
    "/v2/snapshot",
    "/v3/",
    "/vX/",
)


def is_alpaca(path: str) -> bool:
    """Whether the path is Alpaca's; what no vendor has is answered in Alpaca's words."""
    return path.startswith(("/v1/", "/v2/", "/stream")) and not path.startswith(POLYGON_PATHS)
