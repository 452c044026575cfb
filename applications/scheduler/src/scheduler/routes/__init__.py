"""The scheduler's endpoints."""
