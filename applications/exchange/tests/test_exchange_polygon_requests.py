"""The market's status at the exchange's Polygon API, and the requests that it refuses."""

import json
from datetime import UTC, datetime

import pytest
from polygon.exceptions import BadResponse

from applications.exchange.tests.exchange_kit import HTTP
from applications.exchange.tests.polygon_exchange import (
    GROUPED,
    Exchange,
)


class TestStatus:
    """`/v1/marketstatus/now`: the exchange's own moment."""

    @pytest.mark.parametrize(
        ("moment", "market", "early", "late"),
        [
            (datetime(2024, 12, 30, 8, tzinfo=UTC), "closed", False, False),
            (datetime(2024, 12, 30, 13, tzinfo=UTC), "extended-hours", True, False),
            (datetime(2024, 12, 30, 14, 30, tzinfo=UTC), "open", False, False),
            (datetime(2024, 12, 30, 21, tzinfo=UTC), "extended-hours", False, True),
            (datetime(2024, 12, 31, 1, tzinfo=UTC), "closed", False, False),
            (datetime(2024, 11, 29, 18, tzinfo=UTC), "extended-hours", False, True),  # closes at 13:00
            (datetime(2024, 12, 28, 16, tzinfo=UTC), "closed", False, False),  # a Saturday
        ],
    )
    def test_phases(self, exchange: Exchange, moment: datetime, market: str, early: bool, late: bool) -> None:  # noqa: FBT001 - expected values
        """Early hours from 04:00 New York, the session, after hours to 20:00."""
        exchange.clock.moment = moment
        body = exchange.body("/v1/marketstatus/now")
        status = exchange.client().get_market_status()

        assert (status.market, status.early_hours, status.after_hours) == (market, early, late)
        assert datetime.fromisoformat(status.server_time) == moment
        assert body.keys() == {
            "afterHours",
            "currencies",
            "earlyHours",
            "exchanges",
            "indicesGroups",
            "market",
            "serverTime",
        }
        assert body["exchanges"].keys() == {"nasdaq", "nyse", "otc"}

    def test_server_time(self, exchange: Exchange) -> None:
        """`serverTime` is New York's, with its offset and without fractions."""
        assert exchange.body("/v1/marketstatus/now")["serverTime"] == "2024-12-31T16:00:00-05:00"


class TestRefusals:
    """Bad input gets the vendor's error body, never a stack trace and never the key."""

    @pytest.mark.parametrize(
        ("headers", "error"),
        [
            ({}, "API Key was not provided"),
            ({"Authorization": "Bearer"}, "API Key was not provided"),
            ({"Authorization": "Basic abc"}, "API Key was not provided"),
            ({"Authorization": "Bearer not a key"}, "Unknown API Key"),
        ],
    )
    @pytest.mark.parametrize(
        "path", [f"{GROUPED}/2024-12-31", f"{GROUPED}/nonsense", "/v3/reference/tickers", "/v1/marketstatus/now"]
    )
    def test_no_key(self, exchange: Exchange, path: str, headers: dict[str, str], error: str) -> None:
        """401 before anything else is looked at."""
        response = HTTP.get(exchange.url + path, headers=headers)

        assert response.status_code == 401
        assert response.json() == {"status": "ERROR", "request_id": response.json()["request_id"], "error": error}

    @pytest.mark.parametrize(
        ("path", "error"),
        [
            (f"{GROUPED}/nonsense", "Could not parse the time parameter: 'date'"),
            (f"{GROUPED}/2024-13-01", "Could not parse the time parameter: 'date'"),
            (f"{GROUPED}/2024-12-31?adjusted=perhaps", "Invalid parameter 'adjusted'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-32/2024-08-01", "Could not parse the time parameter: 'from'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/tomorrow", "Could not parse the time parameter: 'to'"),
            (
                "/v2/aggs/ticker/A/range/1/day/2024-07-01/99999999999999999999",
                "Could not parse the time parameter: 'to'",
            ),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-02/2024-07-01", "cannot be a time that occurs before 'from'"),
            ("/v2/aggs/ticker/A/range/0/day/2024-07-01/2024-07-02", "Invalid parameter 'multiplier'"),
            ("/v2/aggs/ticker/A/range/1/fortnight/2024-07-01/2024-07-02", "Invalid parameter 'timespan'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?limit=0", "Invalid parameter 'limit'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?limit=50001", "Invalid parameter 'limit'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?sort=up", "Invalid parameter 'sort'"),
            ("/v2/aggs/ticker/A/range/1/day/2024-07-01/2024-07-02?cursor=%21", "Invalid parameter 'cursor'"),
            ("/v3/reference/tickers?limit=1001", "Invalid parameter 'limit'"),
            ("/v3/reference/tickers?limit=ten", "Invalid parameter 'limit'"),
            ("/v3/reference/tickers?sort=beauty", "Invalid parameter 'sort'"),
            ("/v3/reference/tickers?order=up", "Invalid parameter 'order'"),
            ("/v3/reference/tickers?active=perhaps", "Invalid parameter 'active'"),
            ("/v3/reference/tickers?date=2025-06-01", "is in the future"),
            ("/v3/reference/tickers?date=June", "expected a date as YYYY-MM-DD"),
            ("/v3/reference/tickers?cursor=%C3%A9", "Invalid parameter 'cursor'"),
            ("/v3/reference/splits?cursor=bGltaXQ9MQ==", "Invalid parameter 'cursor'"),
            ("/v3/reference/splits?execution_date.gte=soon", "expected a date as YYYY-MM-DD"),
            ("/v3/reference/dividends?cash_amount.gt=much", "expected a number"),
            ("/v3/reference/dividends?cash_amount.near=1", "use one of gt, gte, lt, lte, any_of"),
        ],
    )
    def test_bad_request(self, exchange: Exchange, path: str, error: str) -> None:
        """400 with the vendor's body and a sentence that names the parameter."""
        response = exchange.get(path)

        assert response.status_code == 400, response.text
        assert response.json().keys() == {"status", "request_id", "error"}
        assert response.json()["status"] == "ERROR"
        assert error in response.json()["error"]

    def test_minutes(self, exchange: Exchange) -> None:
        """Daily bars are the finest: minutes are outside the plan."""
        response = exchange.get("/v2/aggs/ticker/A/range/5/minute/2024-07-01/2024-07-02")

        assert (response.status_code, response.json()["status"]) == (403, "NOT_AUTHORIZED")

    def test_client_sees(self, exchange: Exchange) -> None:
        """The client raises its BadResponse with the body in it."""
        with pytest.raises(BadResponse) as refusal:
            exchange.client().get_ticker_details("NOSUCH")

        assert json.loads(str(refusal.value))["message"] == "Ticker not found."
