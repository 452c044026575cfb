"""Where the exchange meets files: its SQLite repository and the bars that a replayed market has played."""
