"""The steps of `fund run` at a broker: from an empty folder to a fund that waits for the next close."""

from dataclasses import dataclass, replace
from datetime import date

from fund.broker_account import BrokerApi
from fund.broker_record import BrokerRecord
from fund.services import Service
from fund.settings.fund_settings import FundSettings
from fund.startup import HISTORY, collect_range, start_scheduler, train_on
from fund.steps import Plan, Run, Step
from internal.dates import last_closed_session
from internal.errors import ConfigurationError

FILES = "files"


@dataclass
class RealRun(Run):
    """What the steps of a fund at a broker use.

    Args:
        settings: The fund's settings.
        broker: The account, asked before any service runs.
    """

    settings: FundSettings
    broker: BrokerApi

    @property
    def record(self) -> BrokerRecord:
        """What the folder says of the fund."""
        return self.folder.read_record() or BrokerRecord(self.settings.mode, self.broker.url)


def check_account(run: RealRun) -> None:
    """Ask the broker about the account, and tie the folder to it.

    Raises:
        ConfigurationError: The broker refuses the keys, the folder belongs to another account, or it is blocked.
    """
    account, record = run.broker.account(), run.record
    if record.account not in {None, account.account_number}:
        raise ConfigurationError(
            f"{run.folder.root} holds the fund of account {record.account}, and the keys are those of "
            f"{account.account_number}: use the keys of the first, or another folder (FUND_HOME)"
        )
    if account.account_blocked or account.status != "ACTIVE":
        raise ConfigurationError(f"the broker has not opened account {account.account_number} ({account.status})")
    run.folder.save_record(replace(record, broker_url=run.broker.url, account=account.account_number))
    run.display.say(f"account {account.account_number}: net asset value {account.equity:,.2f} dollars")
    if account.trading_blocked:
        run.display.say("The broker has blocked trading in this account: the fund collects, forecasts and waits.")


def collect_history(run: RealRun) -> None:
    """Collect two years of bars, once; after that the scheduler collects what is missing."""
    run.platform.start_service(Service.DATAMANAGER)
    record = run.record
    if run.settings.market_data.market_data_vendor == FILES:
        run.display.say("market_data_vendor is files: `./fund data import FILE` fills the lake.")
    elif record.collected is not None:
        run.display.say(f"Two years to {record.collected} are in the lake; the scheduler collects what is missing.")
        return
    else:
        last = last_closed_session(run.broker.clock().timestamp)
        collect_range(run, last - HISTORY, last)
    run.folder.save_record(replace(record, collected=last_collected(run).isoformat()))


def last_collected(run: RealRun) -> date:
    """The newest session in the lake.

    Raises:
        ConfigurationError: The lake is empty.
    """
    newest = run.clients.data.sessions().get_column("date").max()
    if not isinstance(newest, date):
        raise ConfigurationError("the lake has no bars: import some with `./fund data import FILE`")
    return newest


def train_first_model(run: RealRun) -> None:
    """Train on the two years that were collected, unless there is a model."""
    record = run.record
    if record.trained and run.settings.storage.registry_directory is not None:
        run.display.say(f"The first model was trained; models are in {run.settings.storage.registry_directory}.")
        return
    train_on(run, date.fromisoformat(record.collected or ""))
    run.folder.save_record(replace(record, trained=True))


def start_trading(run: RealRun) -> None:
    """Start portfoliomanager, then the scheduler, which has the last session decided and waits for the next."""
    run.platform.start_service(Service.PORTFOLIOMANAGER)
    start_scheduler(run)


def real_steps(plan: Plan) -> list[Step[RealRun]]:
    """The steps of `fund run` at a broker; a strategy without forecasts needs no model."""
    model = [Step("Train, evaluate and register the first model", train_first_model)] if plan.uses_forecasts else []
    return [
        Step("Ask the broker about the account", check_account),
        Step("Collect two years of bars into the lake", collect_history),
        *model,
        Step("Start portfoliomanager and the scheduler", start_trading),
    ]
