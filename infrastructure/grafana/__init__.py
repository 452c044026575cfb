"""Grafana's four dashboards, described in Python and written as JSON by `python -m infrastructure.grafana`."""
