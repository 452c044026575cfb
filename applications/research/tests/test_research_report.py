"""The report: its folder, its page, its numbers with units, and what it says of short and empty backtests."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from applications.research.tests.research_results import buy, drawn_result, example_result, example_settings
from internal.backtests.report_rows import Note
from internal.backtests.settings import PLANTED_SIGNAL
from internal.errors import ConfigurationError, InvalidRequestError
from research.ledger import Ledger
from research.report.folder import Report, claim_folder, write_report
from research.report.notes import write_notes
from research.result import BacktestResult, Benchmark

NOISE = np.random.default_rng(0).normal(0, 0.01, 300)


def traded(returns: np.ndarray = NOISE, **changes: object) -> BacktestResult:
    """A result with fills and a note."""
    result = drawn_result(returns, parameters=changes)
    fills = tuple(buy(day, 100, 100, 101, 101.1) for day in result.days[1::20])
    return replace(result, fills=fills, notes=tuple(Note(day, "no bar of <ABC>") for day in result.days[3:5]))


REPORTED = traded(sessions=5)


def report(folder: Path, *results: BacktestResult) -> Report:
    """The report of the first result, after all of them were trials."""
    ledger = Ledger(folder / "research")
    for result in results:
        ledger.plan(result.settings)
        ledger.complete(result)
    return write_report(folder / "run", results[0], ledger)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report of `REPORTED`, one of two trials."""
    folder = tmp_path_factory.mktemp("reported")
    return report(folder, REPORTED, traded(-NOISE, sessions=10)).page.parent


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects texts, tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.text, self.tags, self.values = list[str](), "", list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.tags.append(tag)
        self.values += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "wbr"}:  # which have no end
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.text += data


def test_the_page_is_whole_and_needs_nothing_else(run: Path) -> None:
    """Every element is closed; no script, no picture or style from elsewhere; all that was run is named."""
    page = Page(text := (run / "backtest_report.html").read_text())
    assert page.open == []
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert page.tags.count("svg") == 4
    assert all(value.startswith("#") for value in page.values)
    assert "url(http" not in text
    settings = REPORTED.settings
    for named in (settings.strategy, "sessions 5", settings.code_digest, settings.bars_digest, settings.key):
        assert named in page.text
    for named in (
        "100,000.00 dollars",
        "Deflated Sharpe ratio",
        "2, of which 2 of this strategy",
        "no bar of <ABC> (first of 2 sessions)",
    ):
        assert named in page.text


def test_planted_signal(tmp_path: Path) -> None:
    """Page, JSON and terminal say in the same words that simulated prices hold a planted signal; not of other bars."""
    replayed = drawn_result(NOISE, market="bars.parquet")
    for result, count in ((traded(NOISE + 0.005), 1), (replayed, 0)):
        folder = tmp_path / str(count)
        found = report(folder, result)
        texts = (found.summary, Page(found.page.read_text()).text, (folder / "run/backtest_report.json").read_text())
        assert [" ".join(text.split()).count(PLANTED_SIGNAL) for text in texts] == [count] * 3


def test_the_text_of_a_user_is_escaped(tmp_path: Path) -> None:
    """A strategy's name and its parameters are text, not markup."""
    result = drawn_result(NOISE, strategy="<script>alert(1)</script>", parameters={"name": "<b>"}, market="<i>")
    result = replace(result, benchmark=Benchmark("<img src=x>", result.benchmark.values))
    page = Page(report(tmp_path, result).page.read_text())
    assert not {"script", "b", "i", "img"} & set(page.tags)


def test_every_number_of_the_json_has_a_unit(run: Path) -> None:
    """Figures carry theirs; series have one value a session; nothing is NaN."""
    document = json.loads((run / "backtest_report.json").read_text(), parse_constant=pytest.fail)
    assert document["settings"] == REPORTED.settings.to_json()
    assert all(figure["unit"] for figure in document["measures"])
    sharpe = next(figure for figure in document["measures"] if figure["name"] == "sharpe")
    assert sharpe["value"] == pytest.approx(NOISE.mean() / NOISE.std(ddof=1) * 252**0.5)
    assert {len(values) for values in document["series"].values()} == {301}
    assert document["deflated"]["trials"] == document["overfitting"]["trials"] == 2


def test_the_picture_is_a_png(run: Path) -> None:
    """Its first bytes."""
    assert (run / "backtest_report.png").read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (traded(NOISE + 0.005), "higher than luck explains"),
        (traded(NOISE[:20]), "Too short to say anything of skill"),
        (drawn_result(np.zeros(100)), "nothing to judge"),
        (drawn_result(NOISE[:1]), "nothing to judge"),
        (drawn_result(NOISE[:0]), "nothing to judge"),
        (replace(traded(), net_asset_value=np.full(301, np.nan)), "nothing to judge"),
        (replace(traded(), net_asset_value=np.linspace(1e5, -1e5, 301)), "nothing to judge"),
    ],
    ids=["skill", "short", "constant", "one return", "no return", "not a number", "bankrupt"],
)
def test_every_backtest_has_a_report(tmp_path: Path, result: BacktestResult, sentence: str) -> None:
    """Long, short, empty and unknown ones: a page, JSON without NaN, and a summary of 80 columns."""
    found = report(tmp_path, result)
    assert sentence in " ".join(found.summary.split())
    lines = found.summary.splitlines()
    assert max(map(len, lines)) <= 80
    begins = {line.index(" to ") // 10 for line in lines if line.endswith("% of value a year") and " to " in line}
    assert len(begins) <= 1  # the intervals are below one another, whatever the title's length
    assert Page(found.page.read_text()).open == []
    json.loads((tmp_path / "run" / "backtest_report.json").read_text(), parse_constant=pytest.fail)


def test_the_trials_are_in_every_report(tmp_path: Path) -> None:
    """The count of the ledger is in the summary, however many there are; there is no way to leave it out."""
    others = [traded(np.random.default_rng(seed).normal(0, 0.01, 300), seed=seed) for seed in range(1, 8)]
    found = report(tmp_path, traded(seed=0), *others)
    assert "after counting 8 trials" in " ".join(found.summary.split())
    assert "over 8 trials in the same sessions" in " ".join(found.summary.split())


def test_a_result_that_is_no_trial_has_no_report(tmp_path: Path) -> None:
    """A report without its trial would count one too few."""
    with pytest.raises(InvalidRequestError, match="plan and complete it first"):
        write_report(tmp_path / "run", example_result(), Ledger(tmp_path / "research"))


def test_equal_backtests_have_equal_reports(run: Path, tmp_path: Path) -> None:
    """Settings, page, JSON and picture are the same bytes in another folder, and no other file is there."""
    again = report(tmp_path, REPORTED, traded(-NOISE, sessions=10)).page.parent
    names = sorted(path.name for path in run.iterdir())
    assert names == [*(f"backtest_report.{kind}" for kind in ("html", "json", "png")), "backtest_settings.json"]
    assert [(again / name).read_bytes() for name in names] == [(run / name).read_bytes() for name in names]


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"strategy": "other.py:Other"}, 'its strategy is "strategies/reversal.py:Reversal", not "other.py:Other"'),
        ({"parameters": {"sessions": 6}}, 'its parameters is {"sessions": 5}, not {"sessions": 6}'),
        ({"capital": 5e4, "cost_multiple": 2.0}, "its capital is 100000.0, not 50000.0"),
        ({"code_digest": "x"}, "its code digest is"),
        ({"bars_digest": "x"}, "its bars digest is"),
    ],
)
def test_a_folder_with_another_backtest_is_refused(tmp_path: Path, changed: dict[str, object], difference: str) -> None:
    """The first difference is named, and nothing is written."""
    claim_folder(tmp_path / "run", example_settings())
    claim_folder(tmp_path / "run", example_settings())
    with pytest.raises(ConfigurationError) as refused:
        claim_folder(tmp_path / "run", example_settings(**changed))
    assert f"holds another backtest: {difference}" in str(refused.value)
    assert "choose another --output" in str(refused.value)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["backtest_settings.json"]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """A file of the user is in it, or in its place."""
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ConfigurationError, match="holds other files"):
            claim_folder(folder, example_settings())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"strategy": 1}'])
def test_damaged_settings_are_refused(tmp_path: Path, text: str) -> None:
    """The message names the file and what to do."""
    (tmp_path / "backtest_settings.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"backtest_settings.json is damaged.*--output"):
        claim_folder(tmp_path, example_settings())


def test_a_damaged_ledger_leaves_the_folder_without_a_report(tmp_path: Path) -> None:
    """The error of the ledger comes before any file of the report."""
    ledger, result = Ledger(tmp_path / "research"), traded()
    ledger.plan(result.settings)
    ledger.complete(result)
    next((tmp_path / "research" / "returns").iterdir()).unlink()
    with pytest.raises(ConfigurationError, match="run that backtest again"):
        write_report(tmp_path / "run", result, ledger)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["backtest_settings.json"]


def test_a_note_of_many_sessions_is_written_once() -> None:
    """In the order they came up, with the first session and the number of sessions."""
    days = example_result().days
    notes = [Note(days[0], "b"), Note(days[0], "a"), Note(days[1], "b"), Note(days[1], "b"), Note(days[2], "b")]
    assert write_notes(notes) == ["2024-01-02: b (first of 3 sessions)", "2024-01-02: a"]
