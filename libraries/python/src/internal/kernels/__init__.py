"""The layers' equations as C kernels inside tinygrad, each with its gradient: the accelerator of `internal.networks`.

A `.c` file is one kernel; the Python file of the same name gives it its sizes. Importing this package chooses the
compiler, because tinygrad reads its environment when it is first imported.
"""

from internal.kernels.compiler import configure
from internal.kernels.cpu_runtime import import_cpu_runtime

configure()
import_cpu_runtime()
