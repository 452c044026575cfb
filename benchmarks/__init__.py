"""Measurements of speed, and the PyTorch model that outputs are compared with; nothing imports them but their tests."""
