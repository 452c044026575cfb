"""Tests of the trader at one real exchange, which the modules of a worker share."""
