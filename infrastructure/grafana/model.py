"""The dashboard Model: how good the champion was when it was chosen, and whether it still is."""

from infrastructure.grafana.panels import Dashboard, Panel, Query

NOW = [
    Panel(
        "Loss, held out",
        "The champion's quantile loss on the sessions held out when it was trained, over the plain baseline's. "
        "Below 100 % it knows something.",
        "percentunit",
        [Query("max(model_cumulative_loss) / max(model_baseline_loss)")],
        kind="stat",
        width=6,
        warn=0.98,
        bad=1,
    ),
    Panel(
        "Coverage, held out",
        "Share of held-out returns inside the champion's 10 % to 90 % interval; 80 % is meant.",
        "percentunit",
        [Query("max(model_interval_coverage_ratio)")],
        kind="stat",
        width=6,
    ),
    Panel(
        "Coverage, live",
        "The same share over the last 20 sessions that the fund really predicted.",
        "percentunit",
        [Query("max(model_live_interval_coverage_ratio)")],
        kind="stat",
        width=6,
        warn=0.7,
        bad=0.6,
        below=True,
    ),
    Panel(
        "Last predictions",
        "When predictions were last made.",
        "dateTimeFromNow",
        [Query("1000 * max(portfolio_predictions_last_success_timestamp_seconds)")],
        kind="stat",
        width=6,
    ),
]
HISTORY = [
    Panel(
        "Loss",
        "Quantile loss of returns: the champion's and the baseline's when held out, and the champion's over the last "
        "20 live sessions. Live above the baseline for weeks: train anew.",
        "none",
        [
            Query("max(model_cumulative_loss)", "champion, held out"),
            Query("max(model_baseline_loss)", "baseline, held out"),
            Query("max(model_live_loss)", "champion, live"),
        ],
    ),
    Panel(
        "Coverage",
        "Share of returns inside the 10 % to 90 % interval. Ten points apart for an hour is an alert.",
        "percentunit",
        [
            Query("max(model_interval_coverage_ratio)", "held out"),
            Query("max(model_live_interval_coverage_ratio)", "live"),
        ],
    ),
    Panel(
        "Drift of the inputs",
        "How far the inputs of today's predictions lie from those of training, in standard deviations of training.",
        "none",
        [Query("max(model_input_drift)", "mean absolute shift")],
        warn=0.5,
        bad=1,
    ),
    Panel(
        "Time to predict",
        "Mean time of portfoliomanager's answers to `/predictions` and `/portfolios`, which run the model.",
        "s",
        [
            Query(
                "sum by (route, method) (rate(http_request_duration_seconds_sum"
                '{job="portfoliomanager", route=~"/(predictions|portfolios).*"}[$__rate_interval])) '
                "/ sum by (route, method) (rate(http_request_duration_seconds_count"
                '{job="portfoliomanager", route=~"/(predictions|portfolios).*"}[$__rate_interval])) >= 0',
                "{{method}} {{route}}",
            )
        ],
    ),
]

MODEL = Dashboard(
    "pocketsizefund-model",
    "Model",
    "How good was the champion when it was chosen, and is it still?",
    [*NOW, *HISTORY],
    span="now-30d",
)
