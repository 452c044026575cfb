"""The Model page: what the evaluation says of the champion, its losses beside the baselines, and the registry."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Self, cast

from internal.baselines.catalogue import find_best_baseline
from internal.forecasting.held_out_bands import HeldOutBands, LossDifference, describe_calibration, read_bands
from internal.forecasting.held_out_coverage import HeldOutCoverage, describe_break, read_coverage
from internal.forecasting.rank_evidence import RankEvidence, describe_rank_evidence, find_rank_evidence
from internal.forecasting.ranking_bets import HELD_LONG, describe_bets, read_bets
from internal.forecasting.registry import CHAMPION, LEAK_GATE, RegisteredModel
from portfoliomanager.pages.coverage import CoverageRow, smooth_coverage


@dataclass(frozen=True)
class HeldOutLine:
    """A forecaster on the held-out sessions.

    Attributes:
        name: Its kind.
        is_own: Whether it is the champion.
        loss: Pinball loss of cumulative log returns.
        difference: Loss against the best baseline's, per cent; negative is better.
        coverage: Share of truths in the 80 % interval.
        evidence: What a book made from its ranking earns; None where it was not measured.
        interval: The difference with its 95 % interval; None where it was not measured.
        bets: The score's rank correlation with each trait; empty where it was not measured.
    """

    name: str
    is_own: bool
    loss: float
    difference: float
    coverage: float
    evidence: RankEvidence | None
    interval: LossDifference | None = None
    bets: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class VersionLine:
    """A model of the registry.

    Attributes:
        version: Its version.
        kind: Its kind.
        size: Its size, or its kind.
        trained_through: The last session that its training saw.
        loss: Held-out loss of cumulative returns; None where it was not measured.
        passed_leak_gate: Whether no forecast of it reads what comes later.
        aliases: What points at it.
        evidence: What a book made from its ranking earns; None where it was not measured.
        coverage: Of its interval by group and after a break; None where it was not measured.
        bets: Its score's rank correlation with each trait; empty where it was not measured.
    """

    version: str
    kind: str
    size: str
    trained_through: date | None
    loss: float | None
    passed_leak_gate: bool
    aliases: tuple[str, ...]
    evidence: RankEvidence | None
    coverage: HeldOutCoverage | None
    bets: Mapping[str, float]

    @property
    def is_champion(self) -> bool:
        """Whether it is the one that forecasts."""
        return CHAMPION in self.aliases


@dataclass(frozen=True)
class ModelView:
    """What the page shows.

    Attributes:
        champion: The model that forecasts; None where there is none.
        verdict: The sentences of its evaluation.
        evidence: What speaks for trading on its ranking, in a sentence; empty where there is no champion.
        lines: Forecasters on the same held-out sessions, the best first.
        versions: The registry, the newest first.
        bands: How its bands held on the held-out sessions; None where that was not measured.
    """

    champion: VersionLine | None
    verdict: Sequence[str]
    evidence: str
    lines: Sequence[HeldOutLine]
    versions: Sequence[VersionLine]
    bands: HeldOutBands | None = None

    @classmethod
    def of(cls, registered: Sequence[RegisteredModel]) -> Self:
        """The view of the registry, given oldest first."""
        versions = [_describe(model) for model in reversed(registered)]
        champion = next((model for model in registered if CHAMPION in model.aliases), None)
        own = next((line for line in versions if line.is_champion), None)
        if champion is None:
            return cls(None, (), "", (), versions)
        verdict = tuple(str(one) for one in champion.metrics.get("verdict", ()))
        evidence = describe_rank_evidence(find_rank_evidence(champion.kind, champion.metrics))
        bands = read_bands(champion.metrics)
        return cls(own, verdict, evidence, _compare(champion, bands), versions, bands)

    @property
    def after_break(self) -> str:
        """How the champion's interval held after a break, in a sentence; empty where that was not measured."""
        measured = self.champion.coverage if self.champion else None
        return describe_break(measured.after_break) if measured else ""

    @property
    def calibration(self) -> str:
        """Which of the champion's quantiles missed their level, in a sentence; empty where none did."""
        return describe_calibration(self.bands.below) if self.bands else ""

    @property
    def coverage(self) -> Sequence[CoverageRow]:
        """Coverage over time, as a mean of the last sessions."""
        return smooth_coverage(self.bands.sessions) if self.bands else ()

    @property
    def chart(self) -> dict[str, object]:
        """The data of the charts; fractions."""
        below = self.bands.below if self.bands else ()
        return {
            "below": [asdict(one) for one in below],
            "days": [row.day.isoformat() for row in self.coverage],
            **{name: [getattr(row, name) for row in self.coverage] for name in ("whole", "calm", "middle", "volatile")},
        }

    @property
    def own(self) -> HeldOutLine | None:
        """The champion on the held-out sessions; None where it was not measured beside the baselines."""
        return next((line for line in self.lines if line.is_own), None)

    @property
    def traits(self) -> Sequence[str]:
        """What any ranking of the lines was compared with."""
        measured = {trait for line in self.lines for trait in line.bets}
        return [trait for trait in HELD_LONG if trait in measured]

    @property
    def bets(self) -> str:
        """What a book made from the champion's ranking bets on besides, in a sentence; empty where not measured."""
        return describe_bets(self.own.bets) if self.own else ""

    @property
    def title(self) -> str:
        """The answer first, in a few words."""
        if self.champion is None:
            return "There is no champion"
        return _phrase(self.verdict[0].partition(":")[0]) if self.verdict else "The champion was not evaluated"

    @property
    def details(self) -> Sequence[str]:
        """The sentences below the title, without what it says already."""
        first = self.verdict[0].partition(":")[2].strip() if self.verdict else ""
        more = [one for one in (self.evidence, self.calibration) if one not in self.verdict]
        return [_phrase(one) for one in (first, *self.verdict[1:], *more) if one]


def _phrase(text: str) -> str:
    """A sentence of an evaluation for the page: names as words, but code as it is written or typed in the checkout."""
    parts = text.split("`")
    parts[::2] = [part.replace("_", " ").replace(" NOT ", " not ") for part in parts[::2]]
    text = "`".join(parts)
    return text.replace("`models ", "`./fund models ").replace("`fund ", "`./fund ")


def _describe(model: RegisteredModel) -> VersionLine:
    own = _held_out(model).get(model.kind, {})
    return VersionLine(
        version=model.version,
        kind=model.kind,
        size=model.size,
        trained_through=date.fromisoformat(model.trained_through) if model.trained_through else None,
        loss=own.get("cumulative_loss"),
        passed_leak_gate=LEAK_GATE in model.metrics,
        aliases=tuple(model.aliases),
        evidence=find_rank_evidence(model.kind, model.metrics),
        coverage=read_coverage(model.metrics),
        bets=read_bets(own),
    )


def _compare(champion: RegisteredModel, bands: HeldOutBands | None) -> list[HeldOutLine]:
    measured = {name: line for name, line in _held_out(champion).items() if "cumulative_loss" in line}
    if (found := find_best_baseline(measured, champion.kind)) is None:
        return []
    best = measured[found]["cumulative_loss"]
    lines = [
        HeldOutLine(
            name,
            name == champion.kind,
            line["cumulative_loss"],
            (line["cumulative_loss"] / best - 1) * 100,
            line["coverage"],
            RankEvidence.read(line),
            bands.differences.get(name) if bands else None,
            read_bets(line),
        )
        for name, line in measured.items()
    ]
    return sorted(lines, key=lambda line: line.loss)


def _held_out(model: RegisteredModel) -> Mapping[str, Mapping[str, float]]:
    return cast("Mapping[str, Mapping[str, float]]", model.metrics.get("held_out", {}))
