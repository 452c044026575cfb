"""The explanation of one forecast on one page: the forecast, which variables, which sessions."""

from html import escape

from internal.modes import Mode
from portfoliomanager.explanation_response import ExplanationResponse
from portfoliomanager.pages.drawing import banner, columns, link, share, table
from portfoliomanager.pages.overview import STYLE

BARS = ".share{display:inline-block;height:.7em;margin-right:.5em;background:currentColor;opacity:.6}"


def render_explanation(found: ExplanationResponse, mode: Mode) -> str:
    """The page as HTML."""
    title = f"{escape(found.ticker)} from {found.date}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{BARS}</style></head><body>'
        f"{banner(mode)}<p>{link('/', 'pocketsizefund')}</p><h1>Why {title}</h1>"
        f"<p>Model {escape(found.model_version)} on bars version {found.bars_version}. A weight says what the network "
        "looked at, not what moved the forecast or in which direction. Half of the forecast is the network's; the "
        "other half is a regression on past volatility (HAR), which has no weights to show.</p>"
        f"<h2>Forecast</h2>{_forecast(found)}"
        f"<h2>Sessions looked at</h2>{_attention(found)}"
        f"<h2>Variables of the past 35 sessions</h2>{_weights(found.past)}"
        f"<h2>Known variables of the sessions ahead</h2>{_weights(found.future)}"
        f"<h2>What the ticker is</h2>{_weights(found.static)}"
        "</body></html>"
    )


def _forecast(found: ExplanationResponse) -> str:
    rows = [
        (
            step.horizon,
            step.target_date,
            f"{step.quantile_10:+.2%}",
            f"{step.quantile_50:+.2%}",
            f"{step.quantile_90:+.2%}",
        )
        for step in found.forecast
    ]
    return table(("horizon", "session", "10 %", "50 %", "90 %"), rows)


def _weights(weights: dict[str, float]) -> str:
    largest = max(weights.values())
    return table(("variable", "weight"), [(name, share(value, largest)) for name, value in weights.items()])


def _attention(found: ExplanationResponse) -> str:
    """The attention of the last session ahead, which sees every session."""
    step = found.attention[-1]
    days = [day.isoformat() for day in step.weights]
    label = f"Attention of the forecast of {step.target_date} by session, {days[0]} to {days[-1]}"
    return f"{columns(list(step.weights.values()), days, label)}<p>{escape(label)}</p>"
