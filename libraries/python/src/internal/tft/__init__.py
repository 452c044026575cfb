"""The Temporal Fusion Transformer (arXiv 1912.09363): model, training, artifact, registry and forecaster.

Services use the forecaster alone. The modules that compute import tinygrad; this package itself does not.
"""
