"""Reports: pages of one file, opened from a disk; style sheet and charts are inside, and no other address is asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from internal.pages.environment import make_environment
from internal.pages.static_files import read_static_files

FONT_FACE: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
CHART_FONT: Final = re.compile(r"'DejaVu Sans'[^;\"]*")
CHART_COLOURS: Final = MappingProxyType(
    {  # what a chart is drawn with, and the colour of the page that takes its place, light or dark
        "#17181c": "var(--ink)",
        "#666a73": "var(--ink-3)",
        "#8d9199": "var(--base)",
        "#c6cad1": "var(--quiet)",
        "#e6e5e1": "var(--line)",
        "#6743c4": "var(--model)",
        "#3c7fd6": "var(--plus-fill)",
        "#d9771c": "var(--minus-fill)",
    }
)
INK, TEXT, BASE, QUIET, LINE, MODEL, PLUS, MINUS = CHART_COLOURS
CHART_STYLE: Final = MappingProxyType(
    {  # settings of matplotlib
        "font.size": 9,
        "text.color": TEXT,
        "axes.labelcolor": TEXT,
        "axes.edgecolor": LINE,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "xtick.color": TEXT,
        "ytick.color": TEXT,
        "lines.linewidth": 1.3,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "report",
    }
)


@dataclass(frozen=True)
class ReportTable:
    """A table of texts.

    Attributes:
        caption: What it shows, for who does not see it.
        heads: The titles of its columns.
        rows: Its rows; the first text of each is the row's heading.
        marked: The heading of the row that the report is about.
        prose: Whether its cells are sentences, which are set to the left.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: str = ""
    prose: bool = False


def make_report_environment(package: str) -> Environment:
    """The environment of reports: templates of a package extend `report.html` and import `report_parts.html`."""
    environment = make_environment([package])
    environment.globals["style_sheet"] = read_style_sheet
    return environment


@cache
def read_style_sheet() -> Markup:
    """The pages' style sheet without its font, which would be a second file."""
    return Markup(FONT_FACE.sub("", read_static_files().files["app.css"].content.decode()))  # noqa: S704 - our own file


def inline_chart(svg: str) -> Markup:
    """A chart that matplotlib drew, as an element of a page: in the page's colours and font."""
    element = re.sub(r'<g id="[^"]*"', "<g", svg[svg.index("<svg") :])
    element = CHART_FONT.sub("var(--font)", element)
    for colour, token in CHART_COLOURS.items():
        element = element.replace(colour, token)
    return Markup(element)  # noqa: S704 - matplotlib escapes the texts of a chart
