"""Chaos: a fund of real processes whose services are killed at random while its broker and vendor answer wrongly."""
