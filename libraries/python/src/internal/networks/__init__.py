"""The layers of the Temporal Fusion Transformer: one layer a file, its equations in plain tinygrad first.

On a CPU each layer calls its kernel of `internal.kernels` instead: the same equations in C, with their gradient.
Importing this package chooses the compiler, for plain tinygrad too.
"""

from internal.kernels.compiler import configure

configure()
