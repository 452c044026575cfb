"""What the services share on the wire: problem details, frames, and the frame of a service.

Plumbing for applications only: the pure parts of `internal` (schemas, features, networks, tft) never import it
(docs/decisions/internal_http.md).
"""
