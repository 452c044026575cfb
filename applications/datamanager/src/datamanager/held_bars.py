"""Holds back bars that are suspicious beside their own past; later bars and splits release them.

The rules are in `internal.data_quality`. A bar is judged by what the lake holds of the sessions before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from datamanager.quality import CheckedRows, to_quarantine, type_bars
from internal.action_kinds import SPLIT_KINDS, ActionKind
from internal.data_quality.suspicions import Suspicion
from internal.data_quality.walk import BarWalk
from internal.dates import previous_session
from internal.lake.store import Lake
from internal.schemas import equity_bars
from internal.schemas.corporate_actions import actions_in_force, splits_of

CONTEXT_SESSIONS = 60  # before the first judged one
SETTLED_WITHIN = 10  # sessions: an older held bar waits for a person
KEY = ["ticker", "date"]
VALUES = ["open", "high", "low", "close", "volume"]
SUSPICIONS = [suspicion.value for suspicion in Suspicion]


@dataclass(frozen=True)
class JudgedBars:
    """What the context says of some sessions.

    Attributes:
        checked: The sessions; suspicious bars are among the quarantined rows.
        released: Bars (`equity_bars`) of other sessions that the quarantine holds and that are confirmed now.
    """

    checked: dict[date, CheckedRows]
    released: pl.DataFrame


@dataclass(frozen=True)
class _Context:
    """What the sessions are judged by.

    Attributes:
        stored: Bars of the sessions around the judged ones.
        held: Held bars of these sessions.
        released: What was released of the judged ones.
        splits: Every split that is known.
        explained: Ticker and day of actions that move a price by an amount that is not known beforehand.
    """

    stored: pl.DataFrame
    held: pl.DataFrame
    released: pl.DataFrame
    splits: pl.DataFrame
    explained: pl.DataFrame


def judge_bars(lake: Lake, checked: Mapping[date, CheckedRows]) -> JudgedBars:
    """Judge the valid bars of the sessions by those before them, in order; what was released is not judged again."""
    context = _read_context(lake, sorted(checked))
    new = pl.concat(one.valid for one in checked.values())
    every = pl.concat([context.stored, context.held, new])
    walk = BarWalk(every.get_column("ticker").unique().to_list(), context.splits)
    first = min([*checked, *context.held.get_column("date")])
    same = new.join(context.released, on=[*KEY, *VALUES])
    trusted = pl.concat([context.stored.select(KEY), same.select(KEY), context.explained])
    suspected, confirmed = _walk(walk, every, first, trusted)
    doubtful = suspected.join(confirmed, on=KEY, how="anti")
    return JudgedBars(
        {day: _hold_back(rows, doubtful.filter(pl.col("date") == day)) for day, rows in checked.items()},
        context.held.join(doubtful, on=KEY, how="anti"),
    )


def _walk(walk: BarWalk, bars: pl.DataFrame, first: date, trusted: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Learn the sessions before `first` and judge the others: suspected (with `reason`) and confirmed bars by key."""
    suspected = [pl.DataFrame(schema={"ticker": pl.String, "reason": pl.String, "date": pl.Date})]
    confirmed = [pl.DataFrame(schema={"ticker": pl.String, "date": pl.Date})]
    for rows in bars.sort("date").partition_by("date", maintain_order=True):
        day: date = rows.item(0, "date")
        if day < first:
            walk.learn(day, rows)
            continue
        known = trusted.filter(pl.col("date") == day).get_column("ticker")
        judgement = walk.judge(day, rows, trusted=known)
        suspected.append(judgement.suspected.with_columns(pl.lit(day).alias("date")))
        confirmed.append(judgement.confirmed)
    return pl.concat(suspected), pl.concat(confirmed)


def _hold_back(rows: CheckedRows, suspected: pl.DataFrame) -> CheckedRows:
    held = rows.valid.join(suspected.select("ticker", "reason"), on="ticker")
    valid = rows.valid.join(suspected, on="ticker", how="anti")
    return CheckedRows(valid, pl.concat([rows.quarantined, to_quarantine(held)]))


def _read_context(lake: Lake, days: list[date]) -> _Context:
    start, recent = _go_back(days[0], CONTEXT_SESSIONS), _go_back(days[0], SETTLED_WITHIN)
    stored = lake.scan("equity_bars").filter(pl.col("date").is_between(start, days[-1]) & ~pl.col("date").is_in(days))
    quarantined = _read_days(lake, "equity_bars_quarantine", recent, days[-1])
    held = quarantined.filter(pl.col("reason").is_in(SUSPICIONS) & ~pl.col("date").is_in([str(day) for day in days]))
    actions = actions_in_force(lake.scan("corporate_actions"))
    return _Context(
        stored.collect(),
        _type_by_day(held),
        _type_by_day(_read_days(lake, "quarantine_releases", days[0], days[-1])),
        splits_of(actions).collect(),
        _explain_moves(actions).collect(),
    )


def _explain_moves(actions: pl.LazyFrame) -> pl.LazyFrame:
    """Ticker and day of spin-offs, special dividends, mergers and the like; splits are known by their ratio."""
    is_usual = pl.col("kind").is_in([ActionKind.CASH_DIVIDEND.value, *(kind.value for kind in SPLIT_KINDS)])
    unusual = ~is_usual | pl.col("special").fill_null(value=False)
    return actions.filter(unusual).select("ticker", pl.col("effective_date").alias("date"))


def _read_days(lake: Lake, table: str, start: date, end: date) -> pl.DataFrame:
    """Rows of a table whose days are texts."""
    return lake.scan(table).filter(pl.col("date").is_between(pl.lit(str(start)), pl.lit(str(end)))).collect()


def _type_by_day(rows: pl.DataFrame) -> pl.DataFrame:
    days = rows.partition_by("date", as_dict=True)
    typed = [type_bars(part, date.fromisoformat(str(day))) for (day,), part in days.items()]
    return pl.concat([equity_bars.empty(), *typed])


def _go_back(day: date, sessions: int) -> date:
    for _ in range(sessions):
        day = previous_session(day)
    return day
