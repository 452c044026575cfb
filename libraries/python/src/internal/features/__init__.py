"""From bars to the model's inputs: panel, variables, splits, scaling, vocabulary, windows.

Pure: frames and dates in, frames and arrays out. No network, no environment, no clock; every guard against looking
ahead is a named argument.
"""
