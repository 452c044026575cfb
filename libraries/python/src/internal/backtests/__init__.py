"""Backtests as they are written down: settings, trials of the ledger, reports and sweeps, for writers and readers."""
