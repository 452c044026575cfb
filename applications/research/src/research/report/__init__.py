"""The report of a backtest: JSON, a picture, one HTML page, and a summary for the terminal."""
