"""The explanation of one forecast on one page: the forecast, which variables, which sessions.

Knows the body of the endpoint. Asks nobody and changes nothing.
"""

from html import escape

from portfoliomanager.pages.drawing import columns, link, share, table
from portfoliomanager.pages.overview import STYLE
from portfoliomanager.routes.explanation import ExplanationBody

BARS = ".share{display:inline-block;height:.7em;margin-right:.5em;background:currentColor;opacity:.6}"


def render(body: ExplanationBody) -> str:
    """The page as HTML."""
    title = f"{escape(body.ticker)} from {body.date}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{BARS}</style></head><body>'
        f"<p>{link('/', 'pocketsizefund')}</p><h1>Why {title}</h1>"
        f"<p>Model {escape(body.model_version)} on bars version {body.bars_version}. A weight says what the network "
        "looked at, not what moved the forecast or in which direction. Half of the forecast is the network's; the "
        "other half is a regression on past volatility (HAR), which has no weights to show.</p>"
        f"<h2>Forecast</h2>{_forecast(body)}"
        f"<h2>Sessions looked at</h2>{_attention(body)}"
        f"<h2>Variables of the past 35 sessions</h2>{_weights(body.past)}"
        f"<h2>Known variables of the sessions ahead</h2>{_weights(body.future)}"
        f"<h2>What the ticker is</h2>{_weights(body.static)}"
        "</body></html>"
    )


def _forecast(body: ExplanationBody) -> str:
    rows = [
        (
            step.horizon,
            step.target_date,
            f"{step.quantile_10:+.2%}",
            f"{step.quantile_50:+.2%}",
            f"{step.quantile_90:+.2%}",
        )
        for step in body.forecast
    ]
    return table(("horizon", "session", "10 %", "50 %", "90 %"), rows)


def _weights(weights: dict[str, float]) -> str:
    largest = max(weights.values())
    return table(("variable", "weight"), [(name, share(value, largest)) for name, value in weights.items()])


def _attention(body: ExplanationBody) -> str:
    """The attention of the last session ahead, which sees every session."""
    step = body.attention[-1]
    days = [day.isoformat() for day in step.weights]
    label = f"Attention of the forecast of {step.target_date} by session, {days[0]} to {days[-1]}"
    return f"{columns(list(step.weights.values()), days, label)}<p>{escape(label)}</p>"
