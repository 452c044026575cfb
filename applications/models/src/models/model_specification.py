"""Which model is fitted: a baseline by its kind, or networks of a size by their seeds."""

from dataclasses import dataclass

from internal.baselines.catalogue import BASELINES, FITTED_WITH_LIGHTGBM
from internal.baselines.trees import require_lightgbm
from internal.errors import InvalidRequestError
from models.sizes import SIZES


@dataclass(frozen=True)
class ModelSpecification:
    """A baseline, or networks of a size.

    Attributes:
        model: A baseline's kind, or a size.
        seeds: Of the networks that are averaged; none for a baseline.
    """

    model: str
    seeds: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The name in tables and files."""
        if not self.seeds:
            return self.model
        numbers = " and ".join(map(str, self.seeds))
        return f"TFT {self.model}, {'seed' if len(self.seeds) == 1 else 'seeds'} {numbers}"


def require_known_model(model: str) -> None:
    """Raise InvalidRequestError, naming the known ones, unless there is such a size or such a baseline."""
    if model not in SIZES and model not in BASELINES:
        raise InvalidRequestError(f"there is no model {model!r}; choose one of {', '.join([*SIZES, *BASELINES])}")


def require_fittable(model: str) -> None:
    """Raise ConfigurationError, saying what to install, when the model is fitted with LightGBM and it is not there."""
    if BASELINES.get(model) in FITTED_WITH_LIGHTGBM:
        require_lightgbm()
