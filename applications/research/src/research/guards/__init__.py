"""Guards on strategies: look-ahead, determinism, missing data, price level, window, outside world."""
