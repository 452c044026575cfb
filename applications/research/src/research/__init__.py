"""Backtests in process, sweeps, guards on strategies, statistics and fault runs: no service."""
