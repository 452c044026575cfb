"""The dashboard Fund: what the fund is worth, how it is invested, and whether its orders go through."""

from infrastructure.grafana.panels import Dashboard, Panel, Query

NOW = [
    Panel(
        "Net asset value",
        "Cash plus the market value of every position at the last account snapshot.",
        "currencyUSD",
        [Query("fund:net_asset_value_dollars:max")],
        kind="stat",
        width=4,
    ),
    Panel(
        "Gross exposure",
        "Long plus short market value over net asset value. The default target is 100 %; the alert is at 115 %.",
        "percentunit",
        [Query("fund:gross_exposure_ratio:max")],
        kind="stat",
        width=4,
        warn=1.08,
        bad=1.15,
    ),
    Panel(
        "Net exposure",
        "Long minus short market value over net asset value, without its sign. The alert is at 10 %.",
        "percentunit",
        [Query("abs(fund:net_exposure_ratio:max)")],
        kind="stat",
        width=4,
        warn=0.07,
        bad=0.1,
    ),
    Panel(
        "Unresolved orders",
        "Sent, and the broker's answer never came. A reconciliation asks again; 15 minutes above 0 is an alert.",
        "short",
        [Query('fund:orders:max{state="unresolved"}')],
        kind="stat",
        width=4,
        bad=1,
    ),
    Panel(
        "Last rebalance",
        "When a portfolio was last built. Older than the last session's close: the daily cycle has stopped.",
        "dateTimeFromNow",
        [Query("1000 * max(portfolio_rebalance_last_success_timestamp_seconds)")],
        kind="stat",
        width=4,
    ),
    Panel(
        "Traders",
        "How many portfoliomanagers hold the trader's lease. It must be 1: with 0 nobody trades, 2 must never be.",
        "short",
        [Query("sum(lease_held)")],
        kind="stat",
        width=4,
        warn=1,
        bad=1,
        below=True,
    ),
]
HISTORY = [
    Panel(
        "Value over time",
        "Net asset value. A step without orders is a dividend, a fee, or a deposit.",
        "currencyUSD",
        [Query("fund:net_asset_value_dollars:max", "net asset value")],
    ),
    Panel(
        "Exposure",
        "Gross and net exposure over net asset value. The fund's own strategy keeps gross near 100 % and net near 0 %.",
        "percentunit",
        [Query("fund:gross_exposure_ratio:max", "gross"), Query("fund:net_exposure_ratio:max", "net")],
        bad=1.15,
    ),
    Panel(
        "Positions",
        "Names held, by side; at most ten a side when decided.",
        "short",
        [Query("max by (side) (portfolio_positions)", "{{side}}")],
    ),
    Panel(
        "Orders",
        "Orders of the journal by state, since the first one. Only `filled` should grow.",
        "short",
        [Query("fund:orders:max", "{{state}}")],
    ),
    Panel(
        "Slippage",
        "Fills against the closes that were decided at, so far, overnight moves included; positive is a cost.",
        "currencyUSD",
        [Query("max(portfolio_order_slippage_dollars)", "slippage")],
    ),
    Panel(
        "Rebalances",
        "Rebalances in the last hour by result. Failures are alerts; standby: another trader holds the lease.",
        "short",
        [Query("sum by (result) (increase(rebalances_total[1h]))", "{{result}}")],
        bad=1,
    ),
]

SCHEDULER = [
    Panel(
        "Overdue runs",
        "Runs of the scheduler that take longer than they may, by kind. Above 0 for 15 minutes is an alert.",
        "short",
        [Query("max by (kind) (scheduler_runs_overdue)", "{{kind}}")],
        kind="stat",
        width=12,
        bad=1,
    ),
    Panel(
        "Last success by kind",
        "When a run of each kind last succeeded. Older than the last close: /scheduler/schedule says why.",
        "dateTimeFromNow",
        [Query("1000 * max by (kind) (scheduler_run_last_success_timestamp_seconds)", "{{kind}}")],
        kind="stat",
        width=12,
    ),
]

FUND = Dashboard(
    "pocketsizefund-fund",
    "Fund",
    "What is the fund worth, how is it invested, and do its orders go through?",
    [*NOW, *SCHEDULER, *HISTORY],
    span="now-7d",
)
