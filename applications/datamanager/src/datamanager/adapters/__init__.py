"""Adapters of the ports, one module a vendor; imported only by `datamanager.server`."""
