"""Allocation: from forecasts and positions to the portfolio that is wanted, both sides equal in dollars.

Knows one day's situation as frames; rows of bars and predictions after that day are never looked at. Knows no order,
no broker and no clock.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.dates import next_session
from portfoliomanager import balance, risk, signals
from portfoliomanager.policy import Policy

POSITION_COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "quantity": pl.Float64(),  # shares, negative when short
    "opened_date": pl.Date(),  # session of the entry's fill
    "entry_price": pl.Float64(),  # dollars, adjusted as of the day of the decision
    "quantile_10": pl.Float64(),  # the band stored with the position last, from entry; null when none is
    "quantile_50": pl.Float64(),
    "quantile_90": pl.Float64(),
}


@dataclass(frozen=True)
class Situation:
    """All that a decision is taken from.

    Attributes:
        day: the session at whose close it is decided.
        net_asset_value: dollars, the broker's figure.
        bars: ticker, date, close (dollars), volume (shares), adjusted as of `day`.
        predictions: the predictions frame.
        positions: the fund's own positions, POSITION_COLUMNS; foreign ones are not in it.
        assets: ticker, tradable, shortable, as the broker says.
        blocked: names never touched, because an order of them is open or somebody else's position is in the account.
    """

    day: date
    net_asset_value: float
    bars: pl.DataFrame
    predictions: pl.DataFrame
    positions: pl.DataFrame
    assets: pl.DataFrame
    blocked: frozenset[str]


@dataclass(frozen=True)
class Decision:
    """The wanted book, one row a name, sorted by ticker; `notes` say what fell short of the policy.

    Columns: ticker, side, action, quantity (shares after it), held (shares before it), reference_price, opened_date,
    entry_price, the band and a reason.
    """

    frame: pl.DataFrame
    notes: list[str]


def decide(situation: Situation, policy: Policy) -> Decision:
    """The portfolio for the situation: exits first, then new names into the free places, then equal sides.

    - Positions that are frozen or inside their band are kept as they are: nothing is bought again.
    - New names take what the kept ones leave of a side's target, so that the capital of closed positions is reused,
      never added. Within a side they are weighted by inverse volatility, within bounds.
    - The larger side is cut to the smaller one: new names first, then kept positions (a trim is a partial exit).
    - A name closed today is not opened again today, on either side: no order flips through zero.
    """
    judged = _held(situation, policy)
    new = _new(situation, judged, policy)
    sized = balance.size(pl.concat([judged, new], how="diagonal"), situation.net_asset_value, policy)
    return Decision(_actions(sized), _notes(sized, policy))


def _held(situation: Situation, policy: Policy) -> pl.DataFrame:
    """The judged positions with side and shares: verdict is the `kind` that sizing works on."""
    latest = signals.bands(situation.predictions, situation.day)
    judged = risk.judge(situation.positions, situation.bars, latest, situation.blocked, situation.day, policy)
    return judged.with_columns(
        pl.when(pl.col("quantity") > 0).then(pl.lit("long")).otherwise(pl.lit("short")).alias("side"),
        pl.col("quantity").abs().alias("held"),
    ).rename({"verdict": "kind"})


def _new(situation: Situation, judged: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The names to open, as many as places are free on each side.

    Longs come from the better half of the ranking, shorts from the worse half.
    """
    ranked = _candidates(situation, judged, policy)
    middle = ranked.height / 2
    staying = judged.filter(pl.col("kind") != "close").get_column("side")
    longs, shorts = (policy.names_per_side - int((staying == side).sum()) for side in ("long", "short"))
    best = ranked.filter(pl.col("rank") <= middle).head(max(longs, 0))
    worst = ranked.filter(pl.col("rank") > middle, "shortable").tail(max(shorts, 0))
    reason = pl.format("rank {} of {} by forecast", pl.col("rank"), pl.lit(ranked.height))
    return (
        pl.concat([best.with_columns(side=pl.lit("long")), worst.with_columns(side=pl.lit("short"))])
        .with_columns(
            reason.alias("reason"),
            kind=pl.lit("new"),
            held=pl.lit(0.0),
            opened_date=pl.lit(next_session(situation.day)),
            entry_price=pl.col("reference_price"),
        )
        .drop("score", "tradable", "shortable")
    )


def _candidates(situation: Situation, judged: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The names that could be opened, best score first, with rank (1 is best) and volatility."""
    taken = [*judged.get_column("ticker").to_list(), *situation.blocked]
    day = situation.day
    return (
        signals.scores(situation.predictions, day)
        .join(signals.universe(situation.bars, day, policy), on="ticker", how="inner", maintain_order="left")
        .join(risk.realized_volatility(situation.bars, day, policy), on="ticker", how="inner", maintain_order="left")
        .join(situation.assets, on="ticker", how="inner", maintain_order="left")
        .filter("tradable", ~pl.col("ticker").is_in(taken))
        .with_row_index("rank", offset=1)
    )


def _actions(sized: pl.DataFrame) -> pl.DataFrame:
    """The sized rows with what happens to each; a new name for which no share was left is no row."""
    emptied = (pl.col("kind") == "kept") & (pl.col("quantity") == 0)
    trimmed = (pl.col("kind") == "kept") & (pl.col("quantity") < pl.col("held"))
    return (
        sized.filter((pl.col("kind") != "new") | (pl.col("quantity") > 0))
        .with_columns(
            pl.when((pl.col("kind") == "close") | emptied)
            .then(pl.lit("close"))
            .when(pl.col("kind") == "new")
            .then(pl.lit("open"))
            .otherwise(pl.lit("hold"))
            .alias("action"),
            pl.when(trimmed)
            .then(pl.format("{}; cut to balance the sides", "reason"))
            .otherwise("reason")
            .alias("reason"),
        )
        .select(
            "ticker",
            "side",
            "action",
            "quantity",
            "held",
            "reference_price",
            "opened_date",
            "entry_price",
            *risk.BAND,
            "reason",
        )
        .sort("ticker")
    )


def _notes(sized: pl.DataFrame, policy: Policy) -> list[str]:
    """What fell short of the policy, one sentence each."""
    after = sized.filter(pl.col("quantity") > 0)
    counts = {side: after.filter(pl.col("side") == side).height for side in ("long", "short")}
    short_of_names = [
        f"{count} of {policy.names_per_side} {side} names: not enough candidates or too little capital a name"
        for side, count in counts.items()
        if count < policy.names_per_side
    ]
    long_value, short_value = balance.side_values(after)
    apart = abs(long_value - short_value) > policy.balance_tolerance * max(long_value, short_value)
    limit = f"{policy.balance_tolerance:.0%}"
    unbalanced = [f"the sides differ by more than {limit}: frozen positions cannot be cut"] if apart else []
    return [*short_of_names, *unbalanced]
