"""The parameters of a layer or a model by name, as tensors and as arrays."""
# tinygrad exports its names without __all__ and annotates its functions in part
# pyright: reportPrivateImportUsage=false, reportUnknownVariableType=false

from collections.abc import Mapping

import numpy as np
from tinygrad import Tensor
from tinygrad.nn.state import get_state_dict, load_state_dict


def named_parameters(model: object) -> dict[str, Tensor]:
    """Every tensor of the model by the path of its attribute, in the order in which the model defines them."""
    return get_state_dict(model)


def parameter_arrays(model: object) -> dict[str, np.ndarray]:
    """A copy of every tensor of the model by name."""
    return {name: np.array(tensor.numpy()) for name, tensor in named_parameters(model).items()}


def load_parameters(model: object, arrays: Mapping[str, np.ndarray]) -> None:
    """Replace the values of every tensor of the model, in place."""
    load_state_dict(model, {name: Tensor(array) for name, array in arrays.items()}, verbose=False)
