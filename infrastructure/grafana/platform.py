"""The dashboard Platform: whether services, proxy and nodes are healthy, and what they use."""

from infrastructure.grafana.panels import Dashboard, Panel, Query, Variable

NOW = [
    Panel(
        "Tasks up",
        "Tasks of each service that answered the last scrape.",
        "short",
        [Query('sum by (job) (up{job=~"$job"})', "{{job}}")],
        kind="stat",
        width=12,
        warn=1,
        bad=1,
        below=True,
    ),
    Panel(
        "Nodes up", "Nodes whose node-exporter answers.", "short", [Query("fund:nodes_up:count")], kind="stat", width=4
    ),
    Panel(
        "Tasks down",
        "Tasks in the Swarm's DNS that did not answer the last scrape.",
        "short",
        [Query('count(up{job=~"$job"} == 0) or vector(0)')],
        kind="stat",
        width=4,
        bad=1,
    ),
    Panel(
        "Alerts",
        "Alerts that fire now; /alertmanager lists them, docs/operations/alerts.md says what to do.",
        "short",
        [Query('count(ALERTS{alertstate="firing"}) or vector(0)')],
        kind="stat",
        width=4,
        bad=1,
    ),
]
SERVICES = [
    Panel(
        "Requests",
        "Requests a second that each service answers, health checks and scrapes included.",
        "reqps",
        [Query('job:http_requests:rate5m{job=~"$job"}', "{{job}}")],
    ),
    Panel(
        "Failed requests",
        "Share of answers that were 5xx. More than 5 % for five minutes is an alert.",
        "percentunit",
        [Query('job:http_requests_failed:ratio_rate5m{job=~"$job"}', "{{job}}")],
        bad=0.05,
    ),
    Panel(
        "Slowest hundredth",
        "Time within which 99 % of the answers were given.",
        "s",
        [Query('job:http_request_duration_seconds:p99_5m{job=~"$job"}', "{{job}}")],
        warn=5,
    ),
    Panel(
        "Requests in flight",
        "Requests being answered at the moment of the scrape.",
        "short",
        [Query('sum by (job) (http_requests_in_flight{job=~"$job"})', "{{job}}")],
    ),
    Panel(
        "Processor by service",
        "Processor cores that each service's own process uses.",
        "short",
        [Query('sum by (job) (rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval]))', "{{job}}")],
    ),
    Panel(
        "Memory by service",
        "Resident memory of each service's own process, summed over its tasks.",
        "bytes",
        [Query('sum by (job) (process_resident_memory_bytes{job=~"$job"})', "{{job}}")],
    ),
]
PROXY = [
    Panel(
        "Through Traefik",
        "Requests a second by entry point and status. 502 and 504 during an update: a task left before Traefik knew.",
        "reqps",
        [
            Query(
                "sum by (entrypoint, code) (rate(traefik_entrypoint_requests_total[$__rate_interval]))",
                "{{entrypoint}} {{code}}",
            )
        ],
    ),
    Panel(
        "Traefik's latency",
        "Time within which 99 % of the requests of an entry point were answered.",
        "s",
        [
            Query(
                "histogram_quantile(0.99, sum by (le, entrypoint) "
                "(rate(traefik_entrypoint_request_duration_seconds_bucket[$__rate_interval]))) >= 0",
                "{{entrypoint}}",
            )
        ],
        warn=5,
    ),
]
NODES = [
    Panel(
        "Processor by node",
        "Share of a node's processors that is busy.",
        "percentunit",
        [Query("instance:node_cpu_busy:ratio_rate5m", "{{nodename}}")],
        width=8,
        warn=0.9,
    ),
    Panel(
        "Memory by node",
        "Share of a node's memory that no program could get any more.",
        "percentunit",
        [Query("instance:node_memory_used:ratio", "{{nodename}}")],
        width=8,
        warn=0.85,
        bad=0.95,
    ),
    Panel(
        "Fullest disk by node",
        "Share of the fullest file system that is used. 85 % is an alert: a full disk stops trading.",
        "percentunit",
        [Query("instance:node_filesystem_used:ratio", "{{nodename}}")],
        width=8,
        warn=0.75,
        bad=0.85,
    ),
    Panel(
        "Processor by container",
        "Processor cores that all containers of a service use, as cAdvisor sees them on every node.",
        "short",
        [Query("sum by (service) (rate(container_cpu_usage_seconds_total[$__rate_interval]))", "{{service}}")],
    ),
    Panel(
        "Memory by container",
        "Working set of all containers of a service: what counts against its limit.",
        "bytes",
        [Query("sum by (service) (container_memory_working_set_bytes)", "{{service}}")],
    ),
]
WATCHERS = [
    Panel(
        "Time to scrape",
        "How long Prometheus waits for each service's metrics. Near 10 s a scrape is lost.",
        "s",
        [Query('max by (job) (scrape_duration_seconds{job=~"$job"})', "{{job}}")],
        warn=5,
        bad=10,
    ),
    Panel(
        "Series in Prometheus",
        "Time series held in memory; about 4 kB each. A steep rise is a label without bounds.",
        "short",
        [Query("max(prometheus_tsdb_head_series)", "series")],
        warn=200_000,
    ),
]

PLATFORM = Dashboard(
    "pocketsizefund-platform",
    "Platform",
    "Are services, proxy and nodes well, and who is short of what?",
    [*NOW, *SERVICES, *PROXY, *NODES, *WATCHERS],
    [Variable("job", "Service", "label_values(up, job)")],
    span="now-6h",
)
