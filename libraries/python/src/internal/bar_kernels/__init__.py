"""What is done to each of millions of bars, in C: a foreign call lets other threads run Python meanwhile."""
