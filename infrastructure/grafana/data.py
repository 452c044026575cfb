"""The dashboard Data: whether bars are complete and sound, and how quickly they are collected and served."""

from infrastructure.grafana.panels import Dashboard, Panel, Query

NOW = [
    Panel(
        "Sessions missing",
        "Closed sessions (by the exchange's calendar) that are not in the lake. More than 0 for 3 hours is an alert.",
        "short",
        [Query("max(equity_bars_sessions_missing)")],
        kind="stat",
        width=6,
        bad=1,
    ),
    Panel(
        "Latest session",
        "Close of the newest session in the lake.",
        "dateTimeAsIso",
        [Query("1000 * max(datamanager_bars_last_session_timestamp_seconds)")],
        kind="stat",
        width=6,
    ),
    Panel(
        "Sessions synced",
        "Sessions in the ingestion log; two years are collected first, then one a day.",
        "short",
        [Query("max(equity_bars_sessions)")],
        kind="stat",
        width=6,
    ),
    Panel(
        "Rows in quarantine",
        "Rows that no check let through; the quarantine table holds them with the reason.",
        "short",
        [Query("sum(equity_bars_quarantined_rows) or vector(0)")],
        kind="stat",
        width=6,
        warn=1,
    ),
]
HISTORY = [
    Panel(
        "Sessions synced an hour",
        "Sessions fetched and committed; one a day, and many while history is collected.",
        "short",
        [Query("sum(increase(datamanager_collected_sessions_total[1h]))", "sessions")],
    ),
    Panel(
        "Quarantine by reason",
        "Rows kept out of the lake, by the check that refused them. A jump after a vendor's change is the vendor's.",
        "short",
        [Query("max by (reason) (equity_bars_quarantined_rows) or vector(0)", "{{reason}}")],
        warn=1,
    ),
    Panel(
        "Vendor's answers",
        "Requests to the market data vendor a second, by outcome. All but `ok` and `rate_limited` deserve a look.",
        "reqps",
        [Query("sum by (outcome) (rate(datamanager_vendor_requests_total[$__rate_interval]))", "{{outcome}}")],
    ),
    Panel(
        "Vendor's latency",
        "Time from request to answer, waiting for the rate limit left out: the median and the slowest hundredth.",
        "s",
        [
            Query(
                f"histogram_quantile({quantile}, "
                "sum by (le) (rate(datamanager_vendor_request_duration_seconds_bucket[$__rate_interval])))",
                name,
            )
            for quantile, name in ((0.5, "median"), (0.99, "slowest hundredth"))
        ],
        warn=5,
    ),
    Panel(
        "Latency by route",
        "Datamanager's own answers, the slowest hundredth of each route. `/query` may take seconds.",
        "s",
        [
            Query(
                "histogram_quantile(0.99, sum by (le, route) "
                '(rate(http_request_duration_seconds_bucket{job="datamanager"}[$__rate_interval]))) >= 0',
                "{{route}}",
            )
        ],
        warn=5,
    ),
    Panel(
        "Events waiting",
        "Events not yet delivered (outbox) or handled (inbox). A line that does not come back to 0 is an alert.",
        "short",
        [Query("max by (service, box) (events_pending)", "{{service}} {{box}}")],
        warn=1,
    ),
]

DATA = Dashboard(
    "pocketsizefund-data",
    "Data",
    "Are the bars there, are they good, and how quickly do they come and go?",
    [*NOW, *HISTORY],
)
