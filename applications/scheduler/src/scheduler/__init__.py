"""The scheduler runs the fund by the exchange's calendar: it starts each run, follows it and records its outcome."""
