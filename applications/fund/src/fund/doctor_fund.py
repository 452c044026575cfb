"""The checks of `fund doctor` on a fund at a broker: account, clock, calendar, vendor's plan and messages."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from fund.broker_account import BrokerAccount, BrokerApi
from fund.broker_record import BrokerRecord
from fund.findings import Finding
from fund.settings.sections import MarketData
from internal.dates import LAST_DAY
from internal.errors import FundError
from internal.modes import Mode, mode_of

CLOCK_TOLERANCE = timedelta(seconds=30)
CALENDAR_AHEAD = timedelta(days=365)
SET_CLOCK = "Set this machine's clock (timedatectl set-ntp true)."


def check_broker(accounts: Mapping[str, str], record: BrokerRecord | None) -> list[Finding]:
    """Check that the broker takes the keys, that the account may trade, and that the clocks agree within 30 seconds.

    Args:
        accounts: The settings of the accounts, by name.
        record: Which account the folder belongs to, None before the first run.
    """
    names = ("ALPACA_BASE_URL", "ALPACA_API_KEY_ID", "ALPACA_API_SECRET")
    if any(name not in accounts for name in names):
        return []
    broker = BrokerApi(*(accounts[name] for name in names))
    try:
        account, clock = broker.account(), broker.clock()
    except FundError as error:
        return [Finding("broker", "not usable", error.detail)]
    findings = [check_account(account, record)]
    if mode_of(broker.url) is not Mode.SIMULATED:  # a simulated exchange has a clock of its own
        findings.append(check_broker_clock(clock.timestamp, datetime.now(UTC)))
    return findings


def find_market_time(accounts: Mapping[str, str]) -> datetime:
    """The market's clock: of a simulated exchange its own, where it answers; else this machine's."""
    url, identity, secret = (accounts.get(f"ALPACA_{name}") for name in ("BASE_URL", "API_KEY_ID", "API_SECRET"))
    if url is not None and identity is not None and secret is not None and mode_of(url) is Mode.SIMULATED:
        try:
            return BrokerApi(url, identity, secret).clock().timestamp
        except FundError:  # which `check_broker` shows
            return datetime.now(UTC)
    return datetime.now(UTC)


def check_account(account: BrokerAccount, record: BrokerRecord | None) -> Finding:
    """Check that the account is the folder's, and that it may trade."""
    seen = f"account {account.account_number}, {account.status}, net asset value {account.equity:,.2f} dollars"
    if record is not None and record.account not in {None, account.account_number}:
        return Finding(
            "broker", seen, f"The folder is of account {record.account}: use its keys, or another FUND_HOME."
        )
    if account.account_blocked or account.trading_blocked or account.status != "ACTIVE":
        return Finding("broker", f"{seen}; blocked", "Ask the broker why the account may not trade; the fund waits.")
    return Finding("broker", seen)


def check_broker_clock(theirs: datetime, now: datetime) -> Finding:
    """Check that this machine's clock agrees with the broker's: orders and the schedule follow the market's clock."""
    apart = abs(now - theirs)
    remedy = None if apart <= CLOCK_TOLERANCE else SET_CLOCK
    return Finding("clock", f"{apart.total_seconds():.0f} s from the broker's", remedy)


def check_calendar(today: date) -> Finding:
    """Check that the exchange calendar goes on for at least a year."""
    remedy = None if today + CALENDAR_AHEAD <= LAST_DAY else "Update the fund: a later version has more sessions."
    return Finding("calendar", f"sessions are known up to {LAST_DAY}", remedy)


def describe_plan(settings: MarketData) -> Finding:
    """What the settings say of the vendor's plan: how many requests, and how late its bars are."""
    vendor = settings.market_data_vendor
    if vendor == "files":
        return Finding("vendor", "files: `./fund data import FILE` after each close, nobody is asked")
    requests = {
        "polygon": settings.polygon_requests_per_minute,
        "alpaca": settings.alpaca_data_requests_per_minute,
    }[vendor]
    limit = f"{requests} requests a minute" if requests else "no limit of requests"
    delay = f", bars at least {settings.alpaca_data_delay_minutes} minutes old" if vendor == "alpaca" else ""
    return Finding("vendor", f"{vendor}: {limit}{delay}, as fund.toml says of your plan")


def check_notifications(*, has_targets: bool, mode: Mode) -> Finding:
    """Check that messages have targets; trading real money without any is a fault."""
    if has_targets:
        return Finding("messages", "targets are set; `./fund notify test` tries them")
    seen = "no targets: refusals, limits and missed sessions are only listed by `./fund notify list`"
    remedy = "Write one URL a line into secrets/NOTIFICATION_URLS (mode 600), then `./fund notify test`."
    return Finding("messages", seen, remedy if mode is Mode.LIVE else None)
