"""What the exchange needs before it listens for other machines, and the market that its settings name."""

from datetime import date
from pathlib import Path

import pytest

from applications.exchange.tests.exchange_in_process import configure
from exchange.server import build_market, create_application, make_simulated_market
from internal.errors import ConfigurationError
from internal.venue.market.volatility_regime import VolatilityRegime


@pytest.mark.parametrize(("token", "guarded"), [("", False), ("a-token-of-32-characters-or-more", True)])
def test_other_machines_are_let_in_with_a_token_alone(token: str, guarded: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column of the table
    """`internal.http.run` refuses to listen beyond loopback unless the service asks for a token."""
    application = create_application(configure(tmp_path, fund_api_token=token))
    assert application.state.has_token is guarded


def test_a_regime_reaches_the_market(tmp_path: Path) -> None:
    """The three settings are the regime of the simulated market; without its date there is none."""
    configuration = configure(tmp_path, exchange_regime_date="2025-02-03", exchange_regime_multiplier="2.5")
    assert configuration.volatility_regime == VolatilityRegime(date(2025, 2, 3), 60, 2.5)
    assert configure(tmp_path).volatility_regime is None
    plain, switched = (make_simulated_market(one) for one in (configure(tmp_path), configuration))
    assert plain.bars(date(2025, 1, 31)).equals(switched.bars(date(2025, 1, 31)))
    assert not plain.bars(date(2025, 2, 3)).equals(switched.bars(date(2025, 2, 3)))


def test_settings_of_a_regime_that_has_none(tmp_path: Path) -> None:
    """Its size or length without its date, and its date beside replayed bars, are refused, not ignored."""
    with pytest.raises(ConfigurationError, match="belong to EXCHANGE_REGIME_DATE"):
        build_market(configure(tmp_path, exchange_regime_sessions="20"))
    replayed = configure(tmp_path, exchange_regime_date="2025-02-03", exchange_bars_file=str(tmp_path / "bars.csv"))
    with pytest.raises(ConfigurationError, match="EXCHANGE_REGIME_DATE is for the simulated market"):
        build_market(replayed)
