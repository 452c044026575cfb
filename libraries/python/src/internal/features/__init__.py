"""From bars to the model's inputs: panel, variables, splits, scaling, vocabulary, windows.

Pure functions of frames and dates. Every guard against look-ahead is a named argument.
"""
