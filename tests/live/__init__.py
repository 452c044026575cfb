"""Live mode as an owner meets it, against the simulated exchange under the broker's and the vendors' own names."""
