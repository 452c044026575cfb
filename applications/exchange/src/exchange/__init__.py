"""A simulated exchange: Polygon's market-data API and Alpaca's trading API over a simulated or replayed market."""
