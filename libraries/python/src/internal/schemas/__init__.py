"""The frames that cross a boundary of the fund, one module a noun; `docs/reference/frames.md` describes them.

Each module offers its columns, its pandera schema, `empty()` and `validate()`. Knows no HTTP, store or broker.
"""
