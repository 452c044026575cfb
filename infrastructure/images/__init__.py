"""The container images of the four applications."""
