"""Runs `adam.c`, one step of Adam over all parameter vectors; its equations are in `internal.networks.adam`."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from collections.abc import Sequence

from tinygrad import Tensor
from tinygrad.uop.ops import UOp

from internal.kernels.launch import kernel_source, make_program, order_macros
from internal.kernels.threads import host_tensor


def launch_adam(
    parameters: Sequence[Tensor],
    state: Sequence[Tensor],
    loss: Tensor,
    gradients: Sequence[Tensor],
    settings: Tensor,
) -> Tensor:
    """Update parameters and state in place, and return the report, f32 [2]: loss and gradient norm.

    Args:
        parameters: The vectors.
        state: First moment, second moment, and the dropout's control, which holds the step.
        loss: f32 [].
        gradients: One for each parameter vector.
        settings: f32 [5]: learning rate, beta1, beta2, epsilon, largest norm.
    """
    text = kernel_source("adam", "FORWARD", _adam_macros([int(parameter.numel()) for parameter in parameters]))

    def place(*placeholders: UOp) -> UOp:
        return make_program("adam", text, placeholders)

    results = Tensor.custom_kernel(
        *parameters,
        *state,
        Tensor.empty(2),
        loss.reshape(1),
        *[gradient.contiguous() for gradient in gradients],
        settings,
        host_tensor(),
        fxn=place,
    )
    return results[len(parameters) + len(state)]


def _adam_macros(sizes: Sequence[int]) -> tuple[tuple[str, int | str], ...]:
    """The lists of arguments, as many as there are vectors."""

    def names(letter: str, kind: str = "") -> str:
        return ", ".join(f"{kind}{letter}{index}" for index in range(len(sizes)))

    return order_macros({
        "TENSORS": len(sizes), "SIZES": "{" + ", ".join(map(str, sizes)) + "}",
        "PARAMETER_ARGUMENTS": names("p", "float *"), "PARAMETER_NAMES": names("p"),
        "GRADIENT_ARGUMENTS": names("g", "const float *"), "GRADIENT_NAMES": names("g"),
    })  # fmt: skip
