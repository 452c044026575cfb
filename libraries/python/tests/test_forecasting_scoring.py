"""The pinball loss by hand, as a proper score, and equal in its three forms: array, Polars expression, tinygrad."""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinygrad import Tensor

from internal.forecasting.quantiles import QUANTILE_COLUMNS, QUANTILES
from internal.forecasting.scoring import pinball_expression, pinball_loss
from internal.networks.losses import quantile_loss


def test_by_hand() -> None:
    """Truth 2 against 1, 2, 4: 0.1 x 1, 0, 0.1 x 2."""
    loss = pinball_loss(np.array([[2.0]]), np.array([[[1.0, 2.0, 4.0]]]))
    assert loss[0, 0].tolist() == pytest.approx([0.1, 0.0, 0.2])


@given(st.integers(0, 1000))
def test_true_quantiles_win(seed: int) -> None:
    """Pinball loss is proper: a sample's own quantiles have a lower loss than shifted ones."""
    truth = np.random.default_rng(seed).normal(size=(400, 1))
    best = np.quantile(truth, [0.1, 0.5, 0.9])[None, None, :]
    shifted = best + np.array([0.3, -0.2, 0.4])
    assert (
        pinball_loss(truth, np.broadcast_to(best, (400, 1, 3))).mean()
        <= pinball_loss(truth, np.broadcast_to(shifted, (400, 1, 3))).mean()
    )


def test_three_forms_agree() -> None:
    """The Polars expression gives the array form's numbers; the network's loss is their mean, in float32."""
    random = np.random.default_rng(3)
    truth, forecast = random.normal(size=(50, 7)), random.normal(size=(50, 7, len(QUANTILES)))
    expected = pinball_loss(truth, forecast)
    columns = {name: forecast[..., place].ravel() for place, name in enumerate(QUANTILE_COLUMNS)}
    frame = pl.DataFrame({"truth": truth.ravel(), **columns}).select(
        pinball_expression(pl.col("truth"), pl.col(name), level).alias(name) for name, level in QUANTILE_COLUMNS.items()
    )
    np.testing.assert_array_equal(expected.reshape(-1, len(QUANTILES)), frame.to_numpy())
    predicted, target = Tensor(forecast.astype(np.float32)), Tensor(truth.astype(np.float32))
    assert quantile_loss(predicted, target, QUANTILES).item() == pytest.approx(expected.mean(), rel=1e-5)


def test_columns() -> None:
    """The columns of the predictions frame, by name, with their levels."""
    assert QUANTILE_COLUMNS == {"quantile_10": 0.1, "quantile_50": 0.5, "quantile_90": 0.9}
