"""Decisions as they were taken: one row each, and one row a name with what was made of it and why."""

import polars as pl

DECISIONS_COLUMNS: dict[str, pl.DataType] = {
    "portfolio_id": pl.String(),
    "date": pl.Date(),  # the session at whose close it was decided
    "net_asset_value": pl.Float64(),  # dollars that weights are fractions of
    "missing_dollars": pl.Float64(),  # of the fund's shares, by the journal, that the broker did not have
    "reduction": pl.String(),  # why positions might only become smaller; null where they might grow
    "rules": pl.String(),  # SHA-256 of strategy, parameters and limits
    "asset_notes": pl.String(),  # JSON list
}
DECISION_NAMES_COLUMNS: dict[str, pl.DataType] = {
    "portfolio_id": pl.String(),
    "date": pl.Date(),
    "ticker": pl.String(),
    "security_id": pl.String(),
    "outcome": pl.String(),
    "reason": pl.String(),  # for people: no rule reads it
    "price": pl.Float64(),  # the close of the day, dollars; null without one
    "is_eligible": pl.Boolean(),  # it could have been opened long
    "is_tradable": pl.Boolean(),
    "is_shortable": pl.Boolean(),
    "is_blocked": pl.Boolean(),
    "refusal": pl.String(),  # of the fund's filter; null where it had none
    "borrow_rate": pl.Float64(),  # a yearly fraction
    "rank": pl.Int64(),  # by score among the names that are eligible or held, the best is 1; null without one
    "forecast_10": pl.Float64(),  # cumulative simple return over the longest horizon
    "forecast_50": pl.Float64(),
    "forecast_90": pl.Float64(),
    "position_quantity": pl.Float64(),  # what was held before, signed shares; null where nothing was
    "position_opened_date": pl.Date(),
    "position_entry_price": pl.Float64(),
    "position_broker_price": pl.Float64(),
    "position_10": pl.Float64(),  # the band stored with it
    "position_50": pl.Float64(),
    "position_90": pl.Float64(),
    "side": pl.String(),  # of the portfolio's row, as all that follows; null where it has none
    "action": pl.String(),
    "held": pl.Float64(),
    "quantity": pl.Float64(),
    "reference_price": pl.Float64(),
    "opened_date": pl.Date(),
    "entry_price": pl.Float64(),
    "band_10": pl.Float64(),
    "band_50": pl.Float64(),
    "band_90": pl.Float64(),
    "frozen": pl.Boolean(),
    "held_security_id": pl.String(),
}
