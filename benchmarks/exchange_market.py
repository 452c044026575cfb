"""Measures how long the exchange takes to make its market: 120 tickers, the default, and 8,000.

There is no peer to compare with; the third figure is the ratio between the two sizes (66.7 would be linear).
Run: uv run python -m benchmarks.exchange_market
"""

import statistics
import time

from benchmarks.no_arguments import refuse_arguments
from internal.venue.market.simulated import SimulatedMarket

ROUNDS = 5


def measure_seconds(ticker_count: int) -> float:
    """Median seconds to make a market and read its first playable day."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        market = SimulatedMarket(ticker_count=ticker_count)
        market.bars(market.opening_session())
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    refuse_arguments(__doc__)
    small, large = measure_seconds(120), measure_seconds(8000)
    print(f"120 tickers {small:.2f} s, 8,000 tickers {large:.2f} s, ratio {large / small:.1f} (medians of {ROUNDS})")
