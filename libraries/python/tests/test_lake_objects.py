"""The lake on an object store: the same promises over `s3://`, against moto's server on loopback."""

import threading
from datetime import date

import polars as pl
import pytest

from internal.dates import sessions_frame
from internal.errors import UnavailableError
from internal.lake.store import Lake
from internal.schemas import equity_bars
from internal.settings import DataBucketSettings

DAY = date(2024, 1, 31)


def bars(start: date, end: date, close: float = 10.0) -> pl.DataFrame:
    """One ticker's sound bars."""
    prices = {name: pl.lit(close) for name in ("open", "high", "low", "close")}
    missing = {"volume_weighted_average_price": pl.lit(None, pl.Float64), "transactions": pl.lit(None, pl.Int64)}
    frame = sessions_frame(start, end).with_columns(**prices, **missing, ticker=pl.lit("A"), volume=pl.lit(1.0))
    return equity_bars.validate(frame)


def test_days_in_a_bucket(bucket: DataBucketSettings) -> None:
    """Replace, read, travel in time, compact: as on a folder."""
    lake = Lake(bucket.data_bucket, bucket.storage_options())
    assert lake.version("equity_bars") == -1
    first = lake.replace_days("equity_bars", bars(date(2024, 1, 2), DAY), date(2024, 1, 2), DAY)
    lake.replace_days("equity_bars", bars(DAY, DAY, close=20.0), DAY, DAY)
    lake.compact("equity_bars")
    assert lake.scan("equity_bars").filter(pl.col("date") == DAY).collect().item(0, "close") == 20.0
    assert lake.scan("equity_bars").collect().height == 21
    assert lake.scan("equity_bars", first).filter(pl.col("date") == DAY).collect().item(0, "close") == 10.0


def test_two_writers_in_a_bucket(bucket: DataBucketSettings) -> None:
    """Commits are create-only objects: of two writers of one version, one begins again, and nothing is lost."""
    frame = bars(date(2024, 3, 1), date(2024, 3, 14))
    days = frame.get_column("date").to_list()

    def write(part: list[date]) -> None:
        lake = Lake(bucket.data_bucket, bucket.storage_options())
        for day in part:
            lake.replace_days("equity_bars", frame.filter(pl.col("date") == day), day, day)

    writers = [threading.Thread(target=write, args=(days[start::2],)) for start in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    march = (
        Lake(bucket.data_bucket, bucket.storage_options()).scan("equity_bars").filter(pl.col("date").dt.month() == 3)
    )
    assert march.sort("date").collect().equals(frame)


def test_a_bucket_that_is_not_there_is_told(bucket: DataBucketSettings) -> None:
    """UnavailableError with the address and without the keys."""
    found = bucket.model_copy(update={"data_bucket": "s3://nowhere/lake"})
    lake = Lake(found.data_bucket, found.storage_options())
    for attempt in (lambda: lake.append("equity_bars", bars(DAY, DAY)), lambda: lake.scan("equity_bars")):
        with pytest.raises(UnavailableError, match="s3://nowhere/lake") as raised:
            attempt()
        assert "hunter2" not in raised.value.detail
