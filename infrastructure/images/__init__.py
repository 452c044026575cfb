"""The container images of the applications."""
