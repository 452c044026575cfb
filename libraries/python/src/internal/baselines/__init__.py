"""Forecasts that a model has to beat: history itself, and volatility times pooled quantiles. No tinygrad."""
