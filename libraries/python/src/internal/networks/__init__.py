"""The layers of the Temporal Fusion Transformer: one layer a file, each a plain object with `__call__`.

They know parameters and shapes; how a layer is computed fast is the business of `internal.kernels`.
"""
