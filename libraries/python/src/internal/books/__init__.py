"""Books: what the broker's account activities say about cash flows, lots, profit and loss, and returns."""
