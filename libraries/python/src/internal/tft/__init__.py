"""The Temporal Fusion Transformer (arXiv 1912.09363): the network, its training, and the model made of it.

The modules that compute import tinygrad; this package itself does not.
"""
