"""The exchange's market: listings, prices and corporate actions, simulated or replayed."""
