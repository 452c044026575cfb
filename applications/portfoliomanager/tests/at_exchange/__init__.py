"""Tests of the trader at a real exchange; each flattens the account and starts a journal of its own."""
