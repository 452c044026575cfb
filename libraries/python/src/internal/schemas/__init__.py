"""The frames that cross a boundary of the fund, one module a noun; `docs/data_contracts.md` is their prose.

Each module offers its columns, its pandera schema, `empty()` and `validate()`. Knows no HTTP, store or broker.
"""
