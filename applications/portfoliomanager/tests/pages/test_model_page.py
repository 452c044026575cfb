"""The Model page: differences by hand, the verdict first, a registry without a champion, and none that can be read."""

import json
import re
from dataclasses import replace
from datetime import date
from html import escape
from pathlib import Path

import numpy as np
import pytest

from internal.errors import ArtifactError, UnavailableError
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.held_out_bands import (
    HELD_OUT_BANDS,
    HeldOutBands,
    LossDifference,
    SessionCoverage,
    ShareBelow,
    write_bands,
)
from internal.forecasting.held_out_coverage import (
    HELD_OUT_COVERAGE,
    BreakCoverage,
    HeldOutCoverage,
    write_coverage,
)
from internal.forecasting.held_out_coverage import NOT_MEASURED as COVERAGE_NOT_MEASURED
from internal.forecasting.rank_evidence import NOT_MEASURED, RankEvidence
from internal.forecasting.ranking_bets import HELD_LONG, describe_bets, read_bets
from internal.forecasting.registry import RegisteredModel, Registry
from internal.http.roles import Role
from internal.modes import Mode
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.forecast_monitoring import ForecastScore
from portfoliomanager.forecasting import Champion
from portfoliomanager.model_responses import RegistryResponse
from portfoliomanager.pages.coverage import smooth_coverage
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.model import ModelView
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.visitor import Visitor
from portfoliomanager.routes.model_page import ModelPage

READER = Visitor(Role.READER, may_send_forms=False, has_session=False, csrf_token="")
FRAME = Frame(Page.MODEL, Mode.SIMULATED, UNCHANGED, None, READER)
KIND = "temporal_fusion_transformer"
EVIDENCE = RankEvidence(
    ranks=True, rank_correlation=-0.01, rank_error=0.02, spread=0.004, spread_error=0.002, spread_cost=0.003
)
METRICS = {
    "verdict": [f"{KIND} does NOT beat the best baseline: +1.00 % <b>"],
    "leak_gate": {"day": "2024-09-19"},
    "held_out": {
        KIND: {"cumulative_loss": 0.0101, "coverage": 0.77, **EVIDENCE.figures()},
        "heterogeneous_volatility": {"cumulative_loss": 0.01, "coverage": 0.79},
        "rolling_history": {"cumulative_loss": 0.0105, "coverage": 0.7},
    },
}
CHAMPION = RegisteredModel("3d0e86979046f636", KIND, "small", METRICS, ("champion",), "2024-09-09")
OLDER = RegisteredModel("0123456789abcdef", "rolling_history", "rolling_history", {}, ())


def show(page: ModelPage) -> str:
    """The page as HTML."""
    return render_page("model.html", FRAME, page)


def test_losses_against_the_best_baseline() -> None:
    """Best first; the differences are those of the losses, in per cent of the best baseline's."""
    view = ModelView.of([OLDER, CHAMPION])
    assert [line.name for line in view.lines] == ["heterogeneous_volatility", KIND, "rolling_history"]
    assert [line.difference for line in view.lines] == pytest.approx([0.0, 1.0, 5.0])
    assert [line.version for line in view.versions] == [CHAMPION.version, OLDER.version]
    assert view.title == f"{KIND.replace('_', ' ')} does not beat the best baseline"
    assert view.details[0] == "+1.00 % <b>"
    assert view.own is not None
    assert (view.own.evidence, view.lines[0].evidence) == (EVIDENCE, None)


def test_page() -> None:
    """Text of the evaluation is escaped; who fitted to what and what was not measured is said."""
    page = show(ModelPage(ModelView.of([OLDER, CHAMPION]), ""))
    assert "does not earn more than it costs by more than noise: +0.40 % before and +0.10 % after costs" in page
    texts = ("&lt;b&gt;", "(\u22120.29 to +0.49)", "9 Sep 2024", "not measured", "not passed")
    for text in (*texts, "+1.00 % against the best baseline"):
        assert text in page.replace("\u2009", " "), text


BANDS = HeldOutBands(
    below=(ShareBelow(0.1, 0.12, 0.09, 0.15), ShareBelow(0.5, 0.51, 0.4, 0.6), ShareBelow(0.9, 0.89, 0.85, 0.93)),
    sessions=tuple(SessionCoverage(date(2024, 9, 1 + place), 0.7 + place / 100, 0.9, None, 0.5) for place in range(22)),
    thirds=(0.82, 0.78, 0.71),
    differences={KIND: LossDifference(1.0, -0.3, 2.4)},
)


def test_bands() -> None:
    """Calibration, coverage over 20 sessions and the differences' intervals are shown; damaged ones are named."""
    champion = replace(CHAMPION, metrics=METRICS | write_bands(BANDS))
    view = ModelView.of([champion])
    assert view.bands == BANDS
    assert [row.day for row in view.coverage] == [date(2024, 9, day) for day in (20, 21, 22)]
    assert [row.whole for row in view.coverage] == pytest.approx([0.795, 0.805, 0.815])
    assert (view.coverage[0].calm, view.coverage[0].middle) == (pytest.approx(0.9), None)
    assert view.coverage[0].volatile == pytest.approx(0.5)
    assert [row.day for row in smooth_coverage(BANDS.sessions[:3])] == [date(2024, 9, 3)]
    assert smooth_coverage(()) == ()
    page = show(ModelPage(view, "")).replace("\u2009", " ")
    for text in ("(\u22120.30 to +2.40)", "12.0 %", "9.0 to 15.0", "71.0 %", "differences with their 95 % intervals"):
        assert text in page, text
    assert (view.calibration, "not every quantile" in page) == ("", False)
    assert "no target of a stored forecast has come" in page
    live = ForecastScore(420, 0.01, 0.849, ((date(2025, 1, 2), 0.9), (date(2025, 1, 3), 0.8)))
    page = show(ModelPage(view, "", live)).replace("\u2009", " ")
    for text in ("84.9 %", "420 targets of the last 2 sessions", '"live": [["2025-01-02", 0.9], ["2025-01-03", 0.8]]'):
        assert text in page, text
    assert "were not kept with this model" in show(ModelPage(ModelView.of([CHAMPION]), ""))
    with pytest.raises(ArtifactError, match="train the model again"):
        ModelView.of([replace(CHAMPION, metrics=METRICS | {HELD_OUT_BANDS: {"below": 1}})])


def test_miscalibrated_bands() -> None:
    """The verdict says it once, whether it was stored at training or not, and the tile does not reassure."""
    bands = replace(BANDS, below=(*BANDS.below[:2], ShareBelow(0.9, 0.8, 0.75, 0.85)))
    sentence = "above the 90 % quantile in 20.0 % of cases instead of 10 %: this quantile sat too low"
    view = ModelView.of([replace(CHAMPION, metrics=METRICS | write_bands(bands))])
    assert sentence in view.details[-1]
    stored = METRICS | {"verdict": [*METRICS["verdict"], view.calibration]} | write_bands(bands)
    assert sum(sentence in one for one in ModelView.of([replace(CHAMPION, metrics=stored)]).details) == 1
    assert "nominal 80 %; not every quantile is calibrated" in show(ModelPage(view, ""))


def test_baseline_that_does_not_rank() -> None:
    """It shows no figure of a book, because nobody would trade its order."""
    flat = replace(EVIDENCE, ranks=False).figures()
    lines = {
        KIND: {"cumulative_loss": 0.0101, "coverage": 0.77, **EVIDENCE.figures()},
        "rolling_history": {"cumulative_loss": 0.0105, "coverage": 0.7, **flat},
    }
    own = RegisteredModel("00112233445566aa", "rolling_history", "rolling_history", {"held_out": lines}, ("champion",))
    assert "`ten_by_ten` opens nothing on it." in ModelView.of([own]).details[0]
    page = show(ModelPage(ModelView.of([replace(CHAMPION, metrics=METRICS | {"held_out": lines})]), ""))
    assert page.count("none: it does not rank") == page.count("(\u22120.29 to +0.49)") == 1


BETS = {"bet_on_volatility": -0.34, "bet_on_size": 0.11, "bet_on_beta": 0.256}


def test_bets_of_the_ranking() -> None:
    """Each figure of each forecaster, the champion's in a sentence, strongest first; or that none was measured."""
    lines = {
        KIND: {"cumulative_loss": 0.0101, "coverage": 0.77, **BETS},
        "rolling_history": {"cumulative_loss": 0.0105, "coverage": 0.7},
    }
    view = ModelView.of([replace(CHAMPION, metrics=METRICS | {"held_out": lines})])
    page = show(ModelPage(view, "")).replace("\u2212", "-")
    assert read_bets(lines[KIND]) == {"volatility": -0.34, "size": 0.11, "beta": 0.256}
    assert view.bets == (
        "A book made from the champion's ranking would be long calm tickers (-0.34), tickers of high beta (+0.26) and "
        "short the opposite, whatever else the forecast says."
    )
    for text in (
        escape(view.bets).replace("&#x27;", "&#39;"),
        '<td class="n">-0.34</td><td class="n">+0.11</td><td class="n">+0.26</td>',
    ):
        assert text in page, text
    assert page.count('<td class="n">not measured</td><td class="n">not measured</td>') == 1
    assert describe_bets({"volatility": 0.19, "beta": -0.05}).endswith("each is below 0.2.")
    assert "The bets of this model were not measured" in show(ModelPage(ModelView.of([CHAMPION]), ""))


def test_bets_as_json() -> None:
    """Each trait by its name, null where a correlation or all of them were not measured."""
    held_out = {KIND: {"cumulative_loss": 0.0101, "coverage": 0.77, **BETS}}
    view = ModelView.of([OLDER, replace(CHAMPION, metrics=METRICS | {"held_out": held_out})])
    response = RegistryResponse.of(view.versions)
    typed = response.models[0].bets
    assert typed is not None
    assert (typed.volatility, typed.size, typed.beta, typed.past_return) == (-0.34, 0.11, 0.256, None)
    newest, oldest = json.loads(response.model_dump_json())["models"]
    assert newest["bets"] == {"volatility": -0.34, "size": 0.11, "beta": 0.256, "past_return": None}
    assert newest["bets"].keys() == HELD_LONG.keys()
    assert oldest["bets"] is None


def test_registry_on_a_telephone() -> None:
    """What the columns that a narrow window hides say is in a cell that it shows."""
    champion = replace(CHAMPION, metrics=METRICS | write_coverage(COVERAGE))
    page = show(ModelPage(ModelView.of([OLDER, champion]), "")).replace("\u2009", " ")
    said = re.findall(r'<span class="only muted"><br>(.*?)</span>', page)
    assert said == [
        "It ranks. Covers 78.4 %, after a break 75.5 %.",
        "Whether it ranks was not measured. Coverage was not measured.",
    ]


COVERAGE = HeldOutCoverage(
    whole=0.784,
    thirds=(0.767, 0.786, 0.798),
    sectors={"Utilities": 0.846, "Energy & <b>": 0.742},
    after_break=BreakCoverage(date(2024, 9, 12), 2.4, 41, 0.755, (0.747, 0.748, 0.774)),
)


def test_coverage_by_group() -> None:
    """Each group and the break are shown, escaped; the registry says who saw none and who was not measured."""
    calm = replace(OLDER, metrics=write_coverage(replace(COVERAGE, whole=0.801, after_break=None)))
    champion = replace(CHAMPION, metrics=METRICS | write_coverage(COVERAGE))
    view = ModelView.of([calm, champion])
    assert [line.coverage and line.coverage.whole for line in view.versions] == [0.784, 0.801]
    page = show(ModelPage(view, "")).replace("\u2009", " ")
    groups = ("Calm third of its date", "76.7 %", "Energy &amp; &lt;b&gt;", "74.2 %", "Utilities")
    registry = ("75.5 %", "none seen", "80.1 %")
    sentence = "In the 41 sessions after volatility rose to 2.4 times on 2024-09-12 it covers 75.5 %"
    for text in (*groups, *registry, sentence):
        assert text in page, text
    newest, oldest = json.loads(RegistryResponse.of(view.versions).model_dump_json())["models"]
    assert newest["coverage"] == json.loads(json.dumps(write_coverage(COVERAGE)[HELD_OUT_COVERAGE]))
    assert newest["evidence"] == EVIDENCE.figures()
    assert (newest["version"], newest["aliases"], newest["trained_through"]) == (
        CHAMPION.version,
        ["champion"],
        "2024-09-09",
    )
    assert (oldest["coverage"]["after_break"], oldest["evidence"], oldest["loss"]) == (None, None, None)
    older = show(ModelPage(ModelView.of([OLDER, CHAMPION]), ""))
    assert COVERAGE_NOT_MEASURED in older
    with pytest.raises(ArtifactError, match="train the model again"):
        ModelView.of([replace(CHAMPION, metrics=METRICS | {HELD_OUT_COVERAGE: {"whole": "much"}})])


def test_damaged_models(tmp_path: Path) -> None:
    """A damaged model has a line of its own and hides no other; of a damaged champion the reason and the way out."""
    registry, damaged = Registry(tmp_path / "registry"), ""
    for number in (1.0, 2.0):
        metrics = {"leak_gate": {"day": "2024-09-19"}}
        save_artifact(tmp_path / str(number), Artifact(KIND, {"a": np.ones(3) * number}, {}, {}, {}, metrics, 0, ""))
        version = registry.register(tmp_path / str(number))
        damaged = damaged or version
    registry.promote(version)
    (registry.path(damaged) / "weights.safetensors").write_bytes(b"cut")
    champion = Champion(registry)
    view = ModelView.of(champion.list_registered())
    assert [(one.version, one.kind) for one in view.versions] == [(version, KIND), (damaged, "damaged")]
    assert "damaged" in show(ModelPage(view, "")).lower()
    (registry.path(version) / "weights.safetensors").write_bytes(b"cut")
    remedy = r"weights\.safetensors was changed .*`\./fund models promote VERSION` makes one the champion$"
    with pytest.raises(UnavailableError, match=remedy):
        champion.list_registered()
    with pytest.raises(UnavailableError, match=remedy):
        champion.use(lambda forecaster: forecaster)
    champion.close()


def test_without_a_champion() -> None:
    """What to do is said; an unreadable registry is a callout, and the page is whole."""
    assert "There is no champion." in show(ModelPage(ModelView.of([OLDER]), ""))
    assert "The registry is empty" in show(ModelPage(ModelView.of([]), ""))
    unmeasured = RegisteredModel("3d0e86979046f636", KIND, "small", {}, ("champion",))
    page = show(ModelPage(ModelView.of([unmeasured]), ""))
    assert "The champion was not evaluated." in page
    assert NOT_MEASURED in page
    broken = show(ModelPage(None, "an artifact was changed"))
    assert "The registry does not answer.</strong> An artifact was changed." in broken
