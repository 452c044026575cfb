"""The dashboard Model: how good the champion was when it was chosen, and whether it still is."""

from infrastructure.grafana.panels import Dashboard, Panel, Query

NOW = [
    Panel(
        "Loss, held out",
        "The champion's pinball loss on the sessions held out when it was trained, over the best baseline's. "
        "Below 100 % it is better than the baseline.",
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
        "Pinball loss of cumulative log returns: the champion's and the baseline's when held out, and the champion's "
        "over the last 20 live sessions. Live above the baseline for weeks: train again.",
        "none",
        [
            Query("max(model_cumulative_loss)", "champion, held out"),
            Query("max(model_baseline_loss)", "baseline, held out"),
            Query("max(model_live_cumulative_loss)", "champion, live"),
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
        "The five inputs that lie furthest from the training's, by the shift of their mean over the last 20 sessions, "
        "in standard deviations of training. A baseline has none.",
        "none",
        [Query("topk(5, max by (variable) (model_input_drift_deviations))", "{{variable}}")],
        warn=0.5,
        bad=1,
    ),
    Panel(
        "Targets come true",
        "Predictions of the last 20 sessions whose outcome is known: with few of them the live figures mean little.",
        "short",
        [Query("max(model_live_targets)", "targets")],
    ),
]

MODEL = Dashboard(
    "pocketsizefund-model",
    "Model",
    "How good was the champion when it was chosen, and is it still?",
    [*NOW, *HISTORY],
    span="now-30d",
)
