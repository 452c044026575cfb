"""How a problem answer (RFC 9457) of a service is named: its content type and the prefix of its kinds."""

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:pocketsizefund:problem:"
