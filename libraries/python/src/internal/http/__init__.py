"""What the services share over HTTP: problem details, frames, middleware, health checks, and clients.

For applications only: the cores of `internal` never import it (docs/decisions/internal_http.md).
"""
