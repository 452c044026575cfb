"""Fault runs: the trading core on a small world, while what goes wrong at each port call is drawn from a seed."""
