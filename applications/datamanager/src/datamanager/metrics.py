"""What datamanager counts for Prometheus beyond the requests that every service counts.

Knows names, units and labels, all of them bounded. Knows nothing of what the figures mean to anybody.
"""

from prometheus_client import Counter, Gauge

VENDOR_REQUESTS = Counter(
    "datamanager_vendor_requests_total",
    "Requests to the market data vendor by outcome.",
    ["outcome"],
)
QUARANTINED_ROWS = Counter(
    "datamanager_quarantined_rows_total",
    "Rows that the vendor sent and no check let through; they wait in the quarantine table with the reason.",
)
COLLECTED_SESSIONS = Counter(
    "datamanager_collected_sessions_total",
    "Sessions whose bars were fetched and committed.",
)
LAST_SESSION = Gauge(
    "datamanager_bars_last_session_timestamp_seconds",
    "Close of the latest session in the lake; grows stale when collection stops.",
)
