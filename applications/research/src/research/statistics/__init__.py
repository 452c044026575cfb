"""Statistics of a backtest: pure functions of arrays, with intervals and corrections for how it was chosen."""
