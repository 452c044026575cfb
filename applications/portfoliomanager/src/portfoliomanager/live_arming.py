"""Arming as the owner sees it: what would be traded with real money, what speaks for it, and whether it may be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from internal.errors import ArtifactError, ConflictError, InvalidRequestError
from internal.forecasting.artifact import load_artifact
from internal.forecasting.rank_evidence import NOT_MEASURED, find_rank_evidence
from internal.forecasting.registry import Registry
from internal.modes import Mode
from internal.trading.arming import Arming, ArmingEndedError, Armings, LiveGate, NotArmedError, arm, digest_of, disarm
from internal.trading.limits import RiskLimits
from internal.trading.ports import Broker
from internal.trading.strategy import Strategy

NO_MODEL = "The strategy reads no forecasts: no evaluation of a model speaks for it."


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a strategy: the name of its model, or its own, whether it is enough, and the verdict's words."""

    name: str
    is_enough: bool
    verdict: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArmingStatus:
    """What would be traded, and whether it may be.

    `problem` says why nothing is sent, or only exits are; None where all orders are. `exits` is whether exits are sent.
    """

    mode: Mode
    digest: str
    evidence: Evidence
    last: Arming | None
    problem: str | None
    exits: bool = True


class LiveArming:
    """Arms and disarms the account; only a live one has to be.

    Args:
        mode: What is at stake.
        broker: Says the account's number and the time.
        armings: Where they are stored.
        strategy: The strategy that decides.
        capital: The setting CAPITAL.
        limits: The risk limits.
        find_evidence: Says what speaks for the strategy now.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what is armed, each on its own
        self,
        mode: Mode,
        broker: Broker,
        armings: Armings,
        strategy: Strategy,
        capital: str,
        limits: RiskLimits,
        find_evidence: Callable[[], Evidence],
    ) -> None:
        self._mode, self._broker, self._armings, self._find_evidence = mode, broker, armings, find_evidence
        self.strategy, self.capital, self.limits = strategy, capital, limits
        self._gate = LiveGate(armings, digest_of(strategy.record, capital, limits), self._find_unproven)

    @property
    def gate(self) -> LiveGate | None:
        """What lets orders pass; None where no real money is at stake."""
        return self._gate if self._mode is Mode.LIVE else None

    def status(self) -> ArmingStatus:
        """What would be traded now, and whether it may be."""
        error = self._find_problem(self._broker.moment()) if self._mode is Mode.LIVE else None
        missing = self._gate.find_missing_evidence() if self._mode is Mode.LIVE else None
        return ArmingStatus(
            mode=self._mode,
            digest=self._gate.digest,
            evidence=self._find_evidence(),
            last=self._armings.last_arming(),
            problem=missing if error is None else error.detail,
            exits=error is None or isinstance(error, ArmingEndedError),
        )

    def describe(self) -> str | None:
        """Whether live orders are sent, until when and who said so; None where no real money is at stake."""
        if self._mode is not Mode.LIVE:
            return None
        status = self.status()
        if status.problem is not None or status.last is None:
            return f"{'only exits are' if status.exits else 'nothing is'} sent: {status.problem}"
        return status.last.describe()

    def arm(self, account_number: str, digest: str, armed_by: str, days: int, without_evidence: str) -> ArmingStatus:
        """Allow live orders for so many days.

        Raises InvalidRequestError (another account number, no live account) or ConflictError (something else would be
        traded than was shown, or there is no evidence and the owner did not name what is without).
        """
        if self._mode is not Mode.LIVE:
            raise InvalidRequestError(f"the account is {self._mode}: no real money is at stake, and nothing is armed")
        if account_number != self._broker.account().account_number:
            raise InvalidRequestError("the account number is not that of the broker's account: nothing was armed")
        if digest != self._gate.digest:
            raise ConflictError("strategy, parameters, capital or limits have changed since they were shown")
        waived = self._require_evidence(without_evidence)
        arm(self._armings, account_number, digest, armed_by, self._broker.moment(), days, waived)
        return self.status()

    def disarm(self, disarmed_by: str) -> ArmingStatus:
        """Take the arming back: only exits are sent from then on. Raises InvalidRequestError where there is none."""
        disarm(self._armings, disarmed_by, self._broker.moment())
        return self.status()

    def _find_unproven(self) -> str:
        """What decides now without enough evidence; empty where it is enough."""
        evidence = self._find_evidence()
        return "" if evidence.is_enough else evidence.name

    def _require_evidence(self, without_evidence: str) -> str:
        """What was waived; empty where the evidence is enough."""
        evidence = self._find_evidence()
        if evidence.is_enough:
            return ""
        if without_evidence != evidence.name:
            raise ConflictError(
                f"nothing shows that {evidence.name} earns more than it costs: {' '.join(evidence.verdict)} To trade "
                f"it with real money all the same, name it: --without-evidence {evidence.name}"
            )
        return evidence.name

    def _find_problem(self, moment: datetime) -> NotArmedError | None:
        try:
            self._gate.require(self._broker.account().account_number, moment)
        except NotArmedError as error:
            return error
        return None


def find_evidence(registry: Registry, strategy: Strategy) -> Evidence:
    """What the evaluation of the champion says for a strategy that reads forecasts."""
    name = strategy.record.name
    if not strategy.needs.forecasts:
        return Evidence(name, is_enough=False, verdict=(NO_MODEL,))
    try:
        champion = load_artifact(registry.path())
    except ArtifactError as error:
        return Evidence(name, is_enough=False, verdict=(error.detail,))
    verdict = tuple(str(one) for one in champion.metrics.get("verdict", ()))
    measured = find_rank_evidence(champion.kind, champion.metrics)
    if measured is None:
        return Evidence(champion.kind, is_enough=False, verdict=(*verdict, NOT_MEASURED))
    return Evidence(champion.kind, measured.is_enough, verdict)
