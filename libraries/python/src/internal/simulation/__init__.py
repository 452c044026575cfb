"""A whole fund in one process: the state machine on the venue, with a market's bars as arrays instead of services."""
