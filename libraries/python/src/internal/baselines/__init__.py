"""Forecasts that a model has to beat: history itself, and volatility times pooled quantiles.

Pure, and light: no network of neurons, no tinygrad. Each answers for every row of an observed panel.
"""
