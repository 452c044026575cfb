"""The service that ingests market data into the lake and answers queries about it."""
