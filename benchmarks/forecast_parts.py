"""Times the parts of a forecast, from bars to checked predictions; `cold_forecast` and `full_forecast` print them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.forecasting import forecaster
from internal.tft import network_model

PARTS = {
    "panel": (forecaster, "build_panel"),
    "variables": (forecaster, "observe"),
    "scales and bands, beside windows and networks": (AdaptiveVolatility, "scales_and_factors"),
    "windows": (network_model, "make_unlabelled_windows"),
    "networks": (network_model.NetworkModel, "predict_standardised"),
    "table and checks": (forecaster, "_predictions"),
    "tickers without a forecast": (forecaster, "_excluded"),
}


@dataclass
class PartClock:
    """Seconds by the clock of each part, in the order in which they ended."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time_parts(self) -> None:
        """Time every later call of the functions of `PARTS`; the last call counts."""
        for label, (owner, name) in PARTS.items():
            setattr(owner, name, self._timed(label, getattr(owner, name)))

    def _timed[**Arguments, Result](
        self, label: str, function: Callable[Arguments, Result]
    ) -> Callable[Arguments, Result]:
        def call(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> Result:
            begin = time.perf_counter()
            result = function(*arguments, **keywords)
            self.seconds[label] = time.perf_counter() - begin
            return result

        return call
