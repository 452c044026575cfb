"""Adapters: the ports of portfoliomanager on a real broker, a real data service and the lake."""
