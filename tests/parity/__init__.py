"""Parity check: record what `fund up` does, and compare a later run with the recording to the cent and the share."""
