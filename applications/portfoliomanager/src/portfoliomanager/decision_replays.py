"""Past decisions: the journal's run of a session, what was stored with it, and the same decision taken again."""

from collections.abc import Callable, Sequence
from datetime import date

from internal.errors import ConflictError, NotFoundError
from internal.http.datamanager_client import Knowledge
from internal.trading.decision_records import DecisionRecord, DecisionRecords
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import list_decisions
from internal.trading.ports import MarketData
from internal.trading.replay import Replay, replay_decision
from internal.trading.runs import RebalanceRun
from internal.trading.strategy import Strategy
from portfoliomanager.ports import FundJournal


class DecisionReplays:
    """Finds decisions and takes them again; it sends nothing and stores nothing.

    Args:
        journal: Of the fund.
        records: What was stored with the decisions.
        data_as_of: The data service as it answered a decision with that knowledge.
        strategy: The one that decides now.
        limits: Those in force now.
    """

    def __init__(
        self,
        journal: FundJournal,
        records: DecisionRecords,
        data_as_of: Callable[[Knowledge], MarketData],
        strategy: Strategy,
        limits: RiskLimits,
    ) -> None:
        self._journal, self._records, self._data_as_of = journal, records, data_as_of
        self._strategy, self._limits = strategy, limits

    def find_run(self, day: date) -> RebalanceRun:
        """The session's decision. Raises NotFoundError where there is none."""
        self._journal.refresh()
        decided = list_decisions(self._journal.runs())
        runs = [run for run in decided if run.date == day]
        if not runs:
            raise NotFoundError(f"no strategy decided the session of {day}: {_describe_span(decided)}")
        return runs[-1]

    def find_record(self, run: RebalanceRun) -> DecisionRecord | None:
        """What was stored with the decision; None for one that is older than this table."""
        return self._records.find(run.portfolio_id, run.date)

    def replay(self, day: date) -> Replay:
        """Take the session's decision again from what was known then.

        Raises NotFoundError where none was taken, ConflictError where too little was stored with it, UnavailableError
        without the data service, StrategyError where the strategy fails now.
        """
        run = self.find_run(day)
        record = self.find_record(run)
        if record is None or run.known_at is None:
            raise ConflictError(
                f"the decision of {day} was taken by an earlier version of the fund, which did not store its inputs: "
                "it cannot be replayed"
            )
        data = self._data_as_of(Knowledge(run.bars_version, run.known_at))
        return replay_decision(record, data.day_inputs(day, self._strategy.needs), self._strategy, self._limits)


def _describe_span(decided: Sequence[RebalanceRun]) -> str:
    """The first and the last session that were decided."""
    days = [run.date for run in decided]
    return f"the first decided session is {min(days)}, the last {max(days)}" if days else "none was decided so far"
