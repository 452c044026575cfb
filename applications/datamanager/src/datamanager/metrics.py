"""The Prometheus metrics of datamanager, besides the HTTP and event metrics that every service has."""

from prometheus_client import Counter, Gauge, Histogram

UNKNOWN = float("nan")  # a gauge's value before the first measurement: no alert compares true with it

VENDOR_REQUESTS = Counter(
    "datamanager_vendor_requests_total",
    "Requests to the market data vendor by outcome.",
    ["outcome"],
)
EDGAR_REQUESTS = Counter(
    "datamanager_edgar_requests_total",
    "Requests to EDGAR by outcome.",
    ["outcome"],
)
VENDOR_SECONDS = Histogram(
    "datamanager_vendor_request_duration_seconds",
    "Time from sending a request to the market data vendor to its complete answer, rate limiting excluded.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
QUARANTINED_ROWS = Gauge(
    "equity_bars_quarantined_rows",
    "Rows of the vendor that failed a check, in the quarantine table, by reason.",
    ["reason"],
)
SESSIONS = Gauge("equity_bars_sessions", "Sessions in the ingestion log.")
ROWS = Gauge("equity_bars_rows", "Bars of the sessions in the ingestion log.")
SESSIONS_MISSING = Gauge(
    "equity_bars_sessions_missing",
    "Closed sessions since the first one in the ingestion log that are not in it.",
)
COLLECTED_SESSIONS = Counter(
    "datamanager_collected_sessions_total",
    "Sessions whose bars were fetched and committed to the lake.",
)
LAST_SESSION = Gauge(
    "datamanager_bars_last_session_timestamp_seconds",
    "Close of the latest session in the lake.",
)
DISAGREEMENTS = Gauge(
    "datamanager_vendor_disagreements",
    "Figures of the last comparison on which the second vendor disagrees, by field.",
    ["field"],
)
for _gauge in (SESSIONS, ROWS, SESSIONS_MISSING, LAST_SESSION):
    _gauge.set(UNKNOWN)
