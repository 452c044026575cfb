"""The engine: backtests in one process, on the code that trades."""
