"""Checks of daily bars against their own past and the session's other bars; pure, and without look-ahead."""
