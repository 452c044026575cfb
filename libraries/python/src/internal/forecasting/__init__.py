"""Forecasts: their quantiles, scores, calibration and explanation; model artifacts, their registry and the forecaster.

The kinds of models (`internal.baselines`, `internal.tft`) depend on this package; `internal.model_registry` loads them.
"""
