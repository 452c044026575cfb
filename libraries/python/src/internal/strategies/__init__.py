"""Strategies: base class, schedule, scores, and the constructions that turn scores into targets."""
