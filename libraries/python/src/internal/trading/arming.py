"""Arming: real money is traded only as its owner has allowed it: one account, strategy and set of limits, for days."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol, cast

from internal.dates import last_closed_session, next_session
from internal.errors import InvalidRequestError
from internal.trading.limits import RiskLimits
from internal.trading.ports import SuspendedAccountError
from internal.trading.strategy import StrategyRecord


class NotArmedError(SuspendedAccountError):
    """The account holds real money, and its owner has not allowed what would be traded: nothing is sent."""

    title = "Not armed"
    slug = "not-armed"


class ArmingEndedError(NotArmedError):
    """The arming has expired, or was taken back: only orders that make positions smaller are sent."""


@dataclass(frozen=True, slots=True)
class Arming:
    """What the owner has allowed.

    Attributes:
        number: 1 for the first, then one more each; the highest is in force.
        account_number: The broker's account.
        digest: Of strategy, parameters, capital and limits (`digest_of`).
        armed_at: The market's clock, UTC.
        armed_by: A person's name.
        expires_at: When only exits are sent any more; the moment of the arming itself where it was taken back.
        dry_run_through: The last session whose orders are planned, shown and dropped.
        evidence_waived: The model or strategy without evidence that the owner named; empty where none had to be.
    """

    number: int
    account_number: str
    digest: str
    armed_at: datetime
    armed_by: str
    expires_at: datetime
    dry_run_through: date
    evidence_waived: str

    def describe(self) -> str:
        """Until when it holds and who said so, in one sentence."""
        if self.expires_at <= self.armed_at:
            return f"disarmed at {self.armed_at:%Y-%m-%d %H:%M} UTC by {self.armed_by}"
        waived = f", without evidence for {self.evidence_waived}" if self.evidence_waived else ""
        until = f"armed until {self.expires_at:%Y-%m-%d %H:%M} UTC by {self.armed_by}{waived}"
        return f"{until}; the orders of sessions up to {self.dry_run_through} are a dry run"


class Armings(Protocol):
    """Stored armings; none is ever changed."""

    def last_arming(self) -> Arming | None:
        """The one in force as it is stored now, whichever process wrote it."""
        ...

    def save_arming(self, arming: Arming) -> None:
        """Add one."""
        ...


def digest_of(strategy: StrategyRecord, capital: str, limits: RiskLimits) -> str:
    """SHA-256 of what is traded and within which limits, hexadecimal."""
    values = json.dumps([asdict(strategy), capital, asdict(limits)], sort_keys=True, default=_sorted_values)
    return hashlib.sha256(values.encode()).hexdigest()


def _sorted_values(value: object) -> Sequence[str]:
    """Sets in one order, so that the digest is the same in every process."""
    return sorted(map(str, cast("frozenset[object]", value))) if isinstance(value, frozenset) else [str(value)]


class LiveGate:
    """Lets orders of a live account pass as it was armed.

    Args:
        armings: What was armed.
        digest: Of what this process trades.
        find_unproven: The name of the model, or strategy, that decides now and that no evidence speaks for; empty where
            the evidence is enough.
    """

    def __init__(self, armings: Armings, digest: str, find_unproven: Callable[[], str]) -> None:
        self._armings, self.digest, self._find_unproven = armings, digest, find_unproven

    def require(self, account_number: str, moment: datetime) -> Arming:
        """The arming in force. Raises NotArmedError, which says what to do.

        It is an ArmingEndedError where what was armed has ended, and nothing else is wrong.
        """
        found = self._armings.last_arming()
        if found is None:
            raise NotArmedError(
                "this account holds real money and was never armed: `./fund arm --live` shows what would be traded"
            )
        if found.account_number != account_number:
            raise NotArmedError("another account was armed than that of these keys; `./fund arm --live` arms this one")
        if found.digest != self.digest:
            raise NotArmedError(
                "strategy, parameters, capital or limits are not those that were armed; `./fund arm --live` shows "
                "them, and arms them"
            )
        if moment >= found.expires_at:
            raise ArmingEndedError(
                f"this account was {found.describe()}: only orders that make positions smaller are sent; "
                "`./fund arm --live` arms it again, `./fund halt` sends nothing at all"
            )
        return found

    def find_end(self, account_number: str, moment: datetime) -> str | None:
        """Why nothing may be opened any more, though positions may be closed; None while all may be sent.

        Raises NotArmedError where nothing may be sent.
        """
        try:
            self.require(account_number, moment)
        except ArmingEndedError as error:
            return error.detail
        return None

    def find_missing_evidence(self) -> str | None:
        """Why nothing is opened by the model that decides now; None where its evidence is enough, or was waived.

        Another model may have become champion since the account was armed.
        """
        found, unproven = self._armings.last_arming(), self._find_unproven()
        if not unproven or (found is not None and found.evidence_waived == unproven):
            return None
        return (
            f"nothing shows that {unproven}, which decides now, earns more than it costs, and it was not named when "
            "this account was armed: only orders that make positions smaller are sent; "
            f"`./fund arm --live --without-evidence {unproven}` names it"
        )

    def is_dry_run(self, day: date) -> bool:
        """Whether the orders of the session are only shown."""
        found = self._armings.last_arming()
        return found is None or day <= found.dry_run_through


def arm(  # noqa: PLR0913, PLR0917 - who allows what, and for how long
    armings: Armings,
    account_number: str,
    digest: str,
    armed_by: str,
    moment: datetime,
    days: int,
    evidence_waived: str,
) -> Arming:
    """Allow live orders; the first session that closes after it is a dry run, but not again for the same."""
    before = armings.last_arming()
    is_same = before is not None and (before.account_number, before.digest) == (account_number, digest)
    first = next_session(last_closed_session(moment))
    arming = Arming(
        number=_next_number(before),
        account_number=account_number,
        digest=digest,
        armed_at=moment,
        armed_by=armed_by,
        expires_at=moment + timedelta(days=days),
        dry_run_through=before.dry_run_through if before is not None and is_same else first,
        evidence_waived=evidence_waived,
    )
    armings.save_arming(arming)
    return arming


def disarm(armings: Armings, disarmed_by: str, moment: datetime) -> Arming:
    """Take the arming back: nothing is opened any more. Raises InvalidRequestError where there is none."""
    before = armings.last_arming()
    if before is None:
        raise InvalidRequestError("the fund was never armed: there is nothing to take back")
    after = replace(before, number=_next_number(before), armed_at=moment, armed_by=disarmed_by, expires_at=moment)
    armings.save_arming(after)
    return after


def _next_number(before: Arming | None) -> int:
    return 1 if before is None else before.number + 1
