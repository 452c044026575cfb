"""The smoke checks: one small request for each endpoint of the services, and the answer that is right."""

from dataclasses import dataclass

MALFORMED_DATE = '{"date": "yesterday"}'


@dataclass(frozen=True)
class Check:
    """One question and what its answer must be.

    Args:
        service: who is asked.
        path: path and query; `{session}` is the newest session that has predictions, `{ticker}` one
            of their tickers.
        fields: the places that the JSON body must have, each as the keys and indices that lead there.
        text: what a body that is no JSON must hold.
        method: the HTTP method.
        status: the expected status.
        body: what is sent; a mutating endpoint is sent what it must refuse, so that nothing changes.
        reader: whether the credentials that a proxy asks for are sent; without them it must refuse.
    """

    service: str
    path: str
    fields: tuple[tuple[str | int, ...], ...] = ()
    text: str = ""
    method: str = "GET"
    status: int = 200
    body: str | None = None
    reader: bool = True


def _common(service: str, metric: str) -> tuple[Check, ...]:
    return (
        Check(service, "/health", (("status",),)),
        Check(service, "/ready", (("status",),)),
        Check(service, "/metrics", text=metric),
        Check(service, "/openapi.json", (("paths",),)),
    )


def _refused(service: str, path: str, body: str = MALFORMED_DATE, status: int = 422) -> Check:
    return Check(service, path, (("title",), ("detail",)), method="POST", body=body, status=status)


CHECKS: tuple[Check, ...] = (
    *_common("datamanager", "http_requests_total"),
    Check("datamanager", "/equity-bars?start_date={session}&end_date={session}", ((0, "ticker"), (0, "close"))),
    Check("datamanager", "/equity-bars/ingestion", (("running",), ("sessions_done",))),
    Check("datamanager", "/sessions?start_date={session}&end_date={session}", ((0, "date"), (0, "status"))),
    Check("datamanager", "/equity-details", ((0, "ticker"), (0, "sector"))),
    Check("datamanager", "/equity-details/progress", (("phases",),)),
    Check("datamanager", "/fundamentals?tickers={ticker}"),
    Check("datamanager", "/securities?tickers={ticker}"),
    Check("datamanager", "/universe?date={session}", ((0, "ticker"), (0, "rank"), (0, "member"))),
    Check("datamanager", "/disagreements?start_date={session}&end_date={session}"),
    Check("datamanager", "/corporate-actions?start_date={session}&end_date={session}"),
    Check("datamanager", "/corporate-actions/splits?start_date={session}&end_date={session}"),
    Check("datamanager", "/corporate-actions/dividends?start_date={session}&end_date={session}"),
    Check("datamanager", "/quarantine?start_date={session}&end_date={session}"),
    Check("datamanager", "/quarantine/releases?start_date={session}&end_date={session}"),
    Check("datamanager", "/data-checks", (("sessions", "expected"), ("to_do",))),
    Check("datamanager", "/predictions?date={session}", ((0, "quantile_10"), (0, "quantile_90"))),
    Check("datamanager", "/predictions/reforecasts?date={session}"),
    Check("datamanager", "/portfolios?date={session}", ((0, "portfolio_id"), (0, "quantity"))),
    Check("datamanager", "/query?sql=SELECT%20count(*)%20AS%20bars%20FROM%20equity_bars", ((0, "bars"),)),
    Check("datamanager", "/events", (("inbox",), ("outbox",))),
    _refused("datamanager", "/equity-bars"),
    _refused("datamanager", "/equity-bars/import"),
    _refused("datamanager", "/equity-details"),
    Check("datamanager", "/fundamentals", (("rows",),), method="POST", body="{}"),
    _refused("datamanager", "/quarantine/releases"),
    _refused("datamanager", "/predictions"),
    _refused("datamanager", "/portfolios"),
    _refused("datamanager", "/events", status=415),
    _refused("datamanager", "/events/redeliveries"),
    *_common("portfoliomanager", "http_requests_total"),
    Check("portfoliomanager", "/predictions", ((0, "ticker"), (0, "horizon"))),
    Check("portfoliomanager", "/predictions/{ticker}/explanation", (("static", "sector"), ("attention", 6, "weights"))),
    Check("portfoliomanager", "/portfolios/current", (("net_asset_value",), ("positions", 0))),
    Check("portfoliomanager", "/portfolios/decisions?since=2020-01-02", ((0, "date"), (0, "state"))),
    Check("portfoliomanager", "/clock", (("moment",), ("mode",))),
    Check("portfoliomanager", "/trading-state", (("state",), ("meaning",), ("mode",))),
    Check("portfoliomanager", "/trading-state/change", text="Trading state"),
    Check("portfoliomanager", "/sign-in", text="Sign in"),
    Check("portfoliomanager", "/decisions", text="By session"),
    Check("portfoliomanager", "/decisions/{day}", (("funnel", "chosen"), ("names", 0, "outcome"))),
    Check("portfoliomanager", "/decisions/{day}/replay", (("name_count",), ("has_same_rules",))),
    Check("portfoliomanager", "/forecasts", text="All tickers"),
    Check("portfoliomanager", "/forecasts/{ticker}", text="Forecasts as they were stored"),
    Check("portfoliomanager", "/model", (("models", 0, "version"),)),
    Check("portfoliomanager", "/research", text="Research"),
    Check("portfoliomanager", "/research/{name}", (("detail",),), status=404),  # it is the name of no folder
    Check("portfoliomanager", "/research/sweeps/{name}", (("detail",),), status=404),
    Check("portfoliomanager", "/services", text="Last events"),
    Check("portfoliomanager", "/data", text="Quarantine by reason"),
    Check("portfoliomanager", "/arming", (("mode",), ("armed",), ("digest",))),
    Check("portfoliomanager", "/strategy", (("name",), ("parameters",), ("digest",))),
    Check("portfoliomanager", "/orders", ((0, "client_order_id"), (0, "state"))),
    Check("portfoliomanager", "/performance", (("points", 0, "net_asset_value"), ("realized_cost",))),
    Check("portfoliomanager", "/books", (("cash",), ("profit", "price"), ("differences",))),
    Check("portfoliomanager", "/books/profits", ((0, "ticker"), (0, "total"))),
    Check("portfoliomanager", "/books/lots", ((0, "ticker"), (0, "basis"))),
    Check("portfoliomanager", "/books/gains"),
    Check("portfoliomanager", "/books/activities", ((0, "activity_id"), (0, "net_amount"))),
    Check("portfoliomanager", "/books/export?format=csv", text="date_acquired"),
    Check("portfoliomanager", "/events", (("inbox",), ("outbox",))),
    Check("portfoliomanager", "/", text="Net asset value"),
    Check("portfoliomanager", "/fragments/today", text="Last run"),
    Check("portfoliomanager", "/book", text="Exposure by sector"),
    Check("portfoliomanager", "/static/{version}/{path}", text="--ground"),
    Check("portfoliomanager", "/reconciliations", (("title",),), status=405),  # only POST does something
    _refused("portfoliomanager", "/predictions"),
    _refused("portfoliomanager", "/portfolios"),
    _refused("portfoliomanager", "/flatten"),
    _refused("portfoliomanager", "/events", status=415),
    _refused("portfoliomanager", "/events/redeliveries"),
    Check("portfoliomanager", "/foreign", (("foreign",),)),
    Check("portfoliomanager", "/reports/daily", (("title",), ("text",))),
    Check("portfoliomanager", "/notifications", (("notifications",),)),
    Check("portfoliomanager", "/notifications/test", (("title",),), status=405),  # only POST does something
    _refused("portfoliomanager", "/alerts"),
    *_common("exchange", "http_requests_total"),
    Check("exchange", "/control/state", (("phase",), ("session",))),
    Check("exchange", "/control/faults"),
    Check("exchange", "/control/statements"),
    Check("exchange", "/control/orders", (("orders",),)),
    Check("exchange", "/control/events"),
    _refused("exchange", "/control/cash-flows"),
    _refused("exchange", "/control/clock"),
    _refused("exchange", "/control/faults"),
    _refused("exchange", "/control/statements"),
    *_common("scheduler", "scheduler_runs_overdue"),
    Check("scheduler", "/schedule", (("moment",), ("acts",), ("runs",))),
    Check("scheduler", "/events", (("inbox",), ("outbox",))),
    Check("scheduler", "/events/redeliveries", text="404", method="POST", status=404, body="{}"),  # not routed
)


def _guarded(service: str, *paths: str) -> tuple[Check, ...]:
    return tuple(Check(service, path, text="nauthorized", status=401, reader=False) for path in paths)


# Proxies and monitoring around the services in the Swarm, by infrastructure/stacks/{platform,monitoring}.yaml.
PLATFORM_CHECKS: tuple[Check, ...] = (
    Check("traefik", "/traefik/api/overview", (("http", "routers", "total"), ("providers", 0))),
    Check("traefik", "/traefik/dashboard/", text="Traefik"),
    *_guarded("traefik", "/traefik/api/overview", "/traefik/dashboard/"),
    Check("prometheus", "/prometheus/-/ready", text="Ready"),
    Check("prometheus", "/prometheus/api/v1/rules", (("data", "groups", 0, "name"),)),
    *_guarded("prometheus", "/prometheus/-/ready", "/prometheus/api/v1/targets"),
    Check("alertmanager", "/alertmanager/-/ready", text="OK"),
    Check("alertmanager", "/alertmanager/api/v2/status", (("config", "original"),)),
    *_guarded("alertmanager", "/alertmanager/api/v2/status"),
    Check("grafana", "/grafana/api/health", (("database",), ("version",))),
    Check("grafana", "/grafana/api/search", ((0, "uid"),)),
    *_guarded("grafana", "/grafana/api/search"),
    Check("portainer", "/portainer/api/system/status", (("Version",),)),
    Check("portainer", "/portainer/api/endpoints", status=401, text="nauthorized", reader=False),
)
