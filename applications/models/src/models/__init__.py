"""Commands that collect bars, assemble a dataset, train, evaluate and register a model.

The functions of the same names can be called from the fund's command line and from notebooks.
"""
