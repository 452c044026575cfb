"""The signal sheet: what a score says about coming returns, before any portfolio is built of it."""
