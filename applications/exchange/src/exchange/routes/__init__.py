"""The exchange's HTTP surface: Polygon's paths, Alpaca's paths and the control paths."""
