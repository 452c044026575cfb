"""Layers as C kernels inside tinygrad: one readable `.c` file beside one Python operation a layer, with its gradient.

Each operation also has a plain tinygrad form: the oracle of its tests, and what runs on every other device.
Importing this package chooses the compiler, because tinygrad reads its environment when it is first imported.
"""

from internal.kernels.compiler import configure

configure()
