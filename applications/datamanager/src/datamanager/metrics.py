"""What datamanager counts for Prometheus beyond the requests that every service counts.

Knows names, units and labels, all of them bounded. Knows nothing of what the figures mean to anybody.
"""

from prometheus_client import Counter, Gauge, Histogram

UNKNOWN = float("nan")  # of a gauge before its figure is known: no alert fires on it

VENDOR_REQUESTS = Counter(
    "datamanager_vendor_requests_total",
    "Requests to the market data vendor by outcome.",
    ["outcome"],
)
VENDOR_SECONDS = Histogram(
    "datamanager_vendor_request_duration_seconds",
    "Time from sending a request to the market data vendor to its whole answer, without the wait for the allowance.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
QUARANTINED_ROWS = Gauge(
    "equity_bars_quarantined_rows",
    "Rows that the vendor sent and no check let through; they wait in the quarantine table with the reason.",
    ["reason"],
)
SESSIONS = Gauge("equity_bars_sessions", "Sessions in the ledger.")
ROWS = Gauge("equity_bars_rows", "Bars that the ledger's sessions brought.")
SESSIONS_MISSING = Gauge(
    "equity_bars_sessions_missing",
    "Sessions that have closed at the vendor since the ledger's first one and are not in it.",
)
COLLECTED_SESSIONS = Counter(
    "datamanager_collected_sessions_total",
    "Sessions whose bars were fetched and committed.",
)
LAST_SESSION = Gauge(
    "datamanager_bars_last_session_timestamp_seconds",
    "Close of the latest session in the lake; grows stale when collection stops.",
)
for _gauge in (SESSIONS, ROWS, SESSIONS_MISSING, LAST_SESSION):
    _gauge.set(UNKNOWN)
