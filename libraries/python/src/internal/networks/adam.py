"""Adam with clipping of the gradient's global norm (Kingma & Ba, arXiv 1412.6980), for all parameters in one step."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor, dtypes

from internal.kernels.adam import launch_adam
from internal.kernels.launch import device_runs_kernels
from internal.networks.dropout import Dropout

_NEXT_SEED = 0x9E3779B9  # added to the dropout's seed after each step; adam.c has the same number


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
        """Schedule one update; realise what it returns.

        At step t, in plain form::

            g = gradients, scaled to the largest norm where they are longer
            m = beta1 m + (1 - beta1) g                                           first moment
            v = beta2 v + (1 - beta2) g^2                                         second moment
            p = p - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)

        Args:
            loss: f32 []; it passes through, so that nothing still reads the parameters when they change.
            gradients: One for each parameter vector.

        Returns:
            f32 [2]: the loss, and the gradient's norm before clipping.
        """
        if device_runs_kernels(loss.device):
            state = [self.first, self.second, self._control]
            return launch_adam(self._parameters, state, loss, gradients, self._settings)

        rate, beta1, beta2, epsilon, largest = (self._settings[index : index + 1] for index in range(5))
        flat = Tensor.cat(*[gradient.reshape(-1) for gradient in gradients])
        norm = flat.square().sum().sqrt().reshape(1)
        finite = norm.isfinite()
        g = finite.where(flat * ((largest > 0) * (norm > largest)).where(largest / norm, 1.0), 0.0)
        t = self._control[2:3].cast(dtypes.float32) + 1
        m = beta1 * self.first + (1 - beta1) * g
        v = beta2 * self.second + (1 - beta2) * g.square()
        change = rate * (m / (1 - beta1.pow(t))) / ((v / (1 - beta2.pow(t))).sqrt() + epsilon)
        report = loss.reshape(1).cat(norm).contiguous().realize(change := finite.where(change, 0.0).contiguous())
        return report.realize(*self._assign(finite, m, v, change))

    def _assign(self, finite: Tensor, first: Tensor, second: Tensor, change: Tensor) -> list[Tensor]:
        """Schedule the new moments, parameters, seed and step."""
        kept_first, kept_second = (finite.where(new, old) for new, old in ((first, self.first), (second, self.second)))
        updates = [self.first.assign(kept_first), self.second.assign(kept_second)]
        for parameter, part in zip(self._parameters, change.split(self._sizes), strict=True):
            updates.append(parameter.assign(parameter - part.reshape(parameter.shape)))
        advance = Tensor(np.array([_NEXT_SEED, 0, 1, 0], np.uint32))
        return [*updates, self._control.assign(self._control + advance)]
