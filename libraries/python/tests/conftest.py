"""Fixtures of the library's tests: bars of made-up tickers on real sessions, and an object store."""

# boto3 ships no types:
# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Iterator
from datetime import date

import boto3
import numpy as np
import polars as pl
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from internal.dates import sessions_frame
from internal.settings import DataBucketSettings

KEY, SECRET = "an-access-key", "hunter2"


@pytest.fixture(scope="module")
def bucket() -> Iterator[DataBucketSettings]:
    """An S3 server on loopback with the bucket `fund`, as a service would have it in its settings."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket="fund")
    yield DataBucketSettings(
        data_bucket="s3://fund/lake",
        aws_endpoint_url=url,
        duckdb_access_key=SecretStr(KEY),
        duckdb_secret=SecretStr(SECRET),
    )
    server.stop()


def _ticker(name: str, calendar: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A random walk whose volatility clusters; prices in dollars, volume in shares."""
    random = np.random.default_rng(seed)
    wave = 1 + 0.5 * np.sin(np.arange(calendar.height) / 15 + seed)
    steps = random.normal(0, 0.012 * wave)
    close = 50 * np.exp(np.cumsum(steps))
    opened = close * np.exp(random.normal(0, 0.004, calendar.height))
    high = np.maximum(close, opened) * np.exp(np.abs(random.normal(0, 0.004, calendar.height)))
    low = np.minimum(close, opened) * np.exp(-np.abs(random.normal(0, 0.004, calendar.height)))
    return calendar.select("date").with_columns(
        ticker=pl.lit(name),
        open=pl.Series(opened),
        high=pl.Series(high),
        low=pl.Series(low),
        close=pl.Series(close),
        volume=pl.Series(np.round(random.lognormal(14, 0.3, calendar.height))),
        volume_weighted_average_price=pl.Series((high + low + close) / 3),
    )


@pytest.fixture(scope="session")
def make_bars() -> Callable[[int, date, date], pl.DataFrame]:
    """`make_bars(ticker_count, start, end)`: bars of tickers T00, T01, ..., the same for the same arguments."""

    def make(ticker_count: int, start: date, end: date) -> pl.DataFrame:
        calendar = sessions_frame(start, end)
        return pl.concat(_ticker(f"T{place:02}", calendar, place) for place in range(ticker_count))

    return make


@pytest.fixture(scope="session")
def make_details() -> Callable[[int], pl.DataFrame]:
    """`make_details(ticker_count)`: two sectors in turn; the last ticker's sector and industry are unknown."""

    def make(ticker_count: int) -> pl.DataFrame:
        known = [place < ticker_count - 1 for place in range(ticker_count)]
        return pl.DataFrame(
            {
                "ticker": [f"T{place:02}" for place in range(ticker_count)],
                "sector": [
                    ["Energy", "Utilities"][place % 2] if known[place] else None for place in range(ticker_count)
                ],
                "industry": [f"Industry {place % 3}" if known[place] else None for place in range(ticker_count)],
            },
            schema={"ticker": pl.String, "sector": pl.String, "industry": pl.String},
        )

    return make
