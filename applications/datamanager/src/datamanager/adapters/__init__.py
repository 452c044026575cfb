"""The outside world, one module a vendor; imported by `datamanager.server` alone."""
