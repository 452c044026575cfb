"""Sweeps: one strategy with every combination of some parameters, each of them a counted trial."""
