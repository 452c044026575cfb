"""Commands that collect bars, assemble a dataset, train, evaluate and register a model.

Also plain functions of the same names, for the fund's own command line and for notebooks.
"""
