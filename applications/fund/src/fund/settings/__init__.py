"""The settings file of a fund that runs for real: `fund.toml` in the fund's folder."""
