"""Where the exchange meets files: its SQLite repository and the bars file of a replayed market."""
