"""The simulated venue: pure rules of one brokerage account on one market, without storage, HTTP or settings."""
