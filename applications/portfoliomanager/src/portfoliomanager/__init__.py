"""Portfoliomanager: forecasts, builds the portfolio, sends the orders, books the fills, reports."""
