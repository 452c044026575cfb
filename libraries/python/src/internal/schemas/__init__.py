"""The schemas of the frames that cross an edge of the fund, one module a noun (docs/reference/frames.md)."""
