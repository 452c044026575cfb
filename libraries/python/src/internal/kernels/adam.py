"""Adam with clipping of the gradient's global norm (Kingma & Ba, arXiv 1412.6980), for all parameters in one kernel.

It knows the kernel `adam.c` and the plain form that it must equal; it knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor, dtypes

from internal.kernels.dropout import Dropout
from internal.kernels.launch import host, macros, program, runs_kernels, source

_NEXT_SEED = 0x9E3779B9


@dataclass(frozen=True)
class AdamSettings:
    """`largest_norm` is the global gradient norm beyond which gradients are scaled down; 0 switches that off."""

    learning_rate: float
    largest_norm: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


class Adam:
    """Updates parameter vectors in place; moments and the step (in the dropout's control) live on the device.

    A gradient that is not finite changes nothing: the caller sees it in the report and stops.
    """

    def __init__(self, parameters: Sequence[Tensor], dropout: Dropout, settings: AdamSettings) -> None:
        self._parameters, self._control = list(parameters), dropout.active
        self._sizes = [int(parameter.numel()) for parameter in parameters]
        self.first = Tensor(np.zeros(sum(self._sizes), np.float32)).realize()
        self.second = Tensor(np.zeros(sum(self._sizes), np.float32)).realize()
        values = [settings.learning_rate, settings.beta1, settings.beta2, settings.epsilon, settings.largest_norm]
        self._settings = Tensor(np.array(values, np.float32)).realize()

    def step(self, loss: Tensor, gradients: Sequence[Tensor]) -> Tensor:
        """Schedule one update: realise what it returns.

        Args:
            loss: f32 []; it passes through, so that nothing still reads the parameters when they change.
            gradients: one for each parameter vector.

        Returns:
            f32 [2]: the loss, and the gradient's norm before clipping.
        """
        if runs_kernels(loss.device):
            return self._kernel_step(loss, gradients)
        return self._plain_step(loss, gradients)

    def _kernel_step(self, loss: Tensor, gradients: Sequence[Tensor]) -> Tensor:
        count = len(self._parameters)

        def names(letter: str, kind: str = "") -> str:
            return ", ".join(f"{kind}{letter}{index}" for index in range(count))

        text = source("adam", "FORWARD", macros({
            "TENSORS": count, "SIZES": "{" + ", ".join(map(str, self._sizes)) + "}",
            "PARAMETER_ARGUMENTS": names("p", "float *"), "PARAMETER_NAMES": names("p"),
            "GRADIENT_ARGUMENTS": names("g", "const float *"), "GRADIENT_NAMES": names("g"),
        }))  # fmt: skip
        arguments = [*self._parameters, self.first, self.second, self._control, Tensor.empty(2), loss.reshape(1)]
        results = Tensor.custom_kernel(
            *arguments,
            *[gradient.contiguous() for gradient in gradients],
            self._settings,
            host(),
            fxn=lambda *placeholders: program("adam", text, placeholders),
        )
        return results[count + 3]

    def _plain_step(self, loss: Tensor, gradients: Sequence[Tensor]) -> Tensor:
        rate, beta1, beta2, epsilon, largest = (self._settings[index : index + 1] for index in range(5))
        flat = Tensor.cat(*[gradient.reshape(-1) for gradient in gradients])
        norm = flat.square().sum().sqrt().reshape(1)
        finite = norm.isfinite()
        scale = ((largest > 0) * (norm > largest)).where(largest / norm, 1.0)
        flat = finite.where(flat * scale, 0.0)
        step = self._control[2:3].cast(dtypes.float32) + 1
        first = beta1 * self.first + (1 - beta1) * flat
        second = beta2 * self.second + (1 - beta2) * flat.square()
        change = rate * (first / (1 - beta1.pow(step))) / ((second / (1 - beta2.pow(step))).sqrt() + epsilon)
        report = loss.reshape(1).cat(norm).contiguous().realize(change := finite.where(change, 0.0).contiguous())
        kept_first, kept_second = (finite.where(new, old) for new, old in ((first, self.first), (second, self.second)))
        updates = [self.first.assign(kept_first), self.second.assign(kept_second)]
        for parameter, part in zip(self._parameters, change.split(self._sizes), strict=True):
            updates.append(parameter.assign(parameter - part.reshape(parameter.shape)))
        advance = Tensor(np.array([_NEXT_SEED, 0, 1, 0], np.uint32))
        updates.append(self._control.assign(self._control + advance))
        return report.realize(*updates)
