"""Routes: each parses, calls one function, answers."""
