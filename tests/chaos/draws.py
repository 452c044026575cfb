"""What happens in a round of chaos, drawn from a seed: kills, faults of broker and vendor, and the owner's wishes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random

from fund.services import Service

MOST_KILLS, LATEST_KILL = 2, 4.0  # after each move of the clock; seconds
MOST_FAULTS, MOST_STRIKES = 3, 4
ACTING, RESUMING = 0.15, 0.5  # of the rounds, in which the owner acts while trading is active, and while it is not
CORRECTING = 0.3  # of the rounds, in which the vendor states a dividend wrongly or late
BROKER_PATHS = (
    "/v2/orders",
    "/v2/orders*",
    "/v2/positions",
    "/v2/account",
    "/v2/account/activities",
    "/v2/clock",
    "/v2/assets*",
    "/v2/*",
)
VENDOR_PATHS = ("/v2/aggs/*", "/v3/reference/*", "/stocks/*", "/v2/stocks/bars", "/v1*", "/api/*")
ANSWERS = ("rate_limit", "server_error", "gateway_timeout", "hang", "truncated_body", "html_body", "unreadable_refusal")
MARKET = ("partial_fill", "refused_short", "late_rejection")


class Wish(StrEnum):
    """What the owner asks for; the text is the trading state, but for closing everything."""

    HALT = "halted"
    REDUCE = "reduce_only"
    RESUME = "active"
    FLATTEN = "flatten"


class Move(StrEnum):
    """A move of the exchange's clock; the text is the control API's."""

    OPEN = "next_open"
    CLOSE = "next_close"


@dataclass(frozen=True)
class Kill:
    """`kill -9` of a service, so many seconds after the clock began to move."""

    service: Service
    after: float


@dataclass(frozen=True)
class InjectedFault:
    """A fault as the exchange's control API takes it."""

    kind: str
    path: str = "*"
    count: int = 1
    processed: bool | None = None
    seconds: float | None = None
    share: float | None = None

    def body(self) -> dict[str, object]:
        """What is sent; what is not set is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Round:
    """One session: what the owner asks for before it, and what goes wrong at its open and at its close.

    Attributes:
        number: From 1.
        acts: Draws of the owner, from 0 to 1: whether something is asked for, and what.
        kills: By move of the clock.
        faults: By move of the clock.
        corrects: Whether the vendor restates a dividend after the close.
    """

    number: int
    acts: tuple[float, float]
    kills: Mapping[Move, Sequence[Kill]]
    faults: Mapping[Move, Sequence[InjectedFault]]
    corrects: bool

    def wish(self, *, is_active: bool) -> Wish | None:
        """What the owner asks for, if anything."""
        whether, what = self.acts
        if is_active:
            wishes = (Wish.HALT, Wish.REDUCE, Wish.FLATTEN)
            return wishes[int(what * len(wishes))] if whether < ACTING else None
        return Wish.RESUME if whether < RESUMING else None

    def describe(self) -> str:
        """Kills and faults in a few words."""
        kills = [
            f"{kill.service} {kill.after:.1f} s after {move}" for move, some in self.kills.items() for kill in some
        ]
        faults = [f"{fault.count} {fault.kind} {fault.path}" for some in self.faults.values() for fault in some]
        return f"killed {', '.join(kills) or 'nothing'}; {', '.join(faults) or 'no fault'}"


def draw_round(seed: int, number: int) -> Round:
    """The round of that number."""
    random = Random(f"{seed}|{number}")  # noqa: S311 - a seed, no secret
    return Round(
        number,
        (random.random(), random.random()),
        {move: _draw_kills(random) for move in Move},
        {move: _draw_faults(random) for move in Move},
        random.random() < CORRECTING,
    )


def _draw_kills(random: Random) -> list[Kill]:
    count = random.randint(0, MOST_KILLS)
    return [Kill(random.choice(list(Service)), random.uniform(0.0, LATEST_KILL)) for _ in range(count)]


def _draw_faults(random: Random) -> list[InjectedFault]:
    return [_draw_fault(random) for _ in range(random.randint(0, MOST_FAULTS))]


def _draw_fault(random: Random) -> InjectedFault:
    count = random.randint(1, MOST_STRIKES)
    if random.random() < 1 / 8:
        kind = random.choice(MARKET)
        share = round(random.uniform(0.1, 0.9), 2) if kind == "partial_fill" else None
        return InjectedFault(kind, count=count, share=share)
    kind, path = random.choice(ANSWERS), random.choice(BROKER_PATHS + VENDOR_PATHS)
    processed = random.choice((None, True, False)) if kind in {"hang", "gateway_timeout"} else None
    seconds = random.choice((0.0, 0.5, 3.0)) if kind in {"hang", "rate_limit"} else None
    return InjectedFault(kind, path, count, processed, seconds)
