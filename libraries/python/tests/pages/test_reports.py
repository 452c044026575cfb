"""Reports: one file that asks no other address; texts are escaped, and charts take the page's colours."""

import re

from internal.pages.reports import CHART_COLOURS, INK, ReportTable, inline_chart, make_report_environment

PAGE = """{% extends "report.html" %}{% import "report_parts.html" as report %}{% block title %}Any{% endblock %}
{% block main %}{% call report.panel("Figures") %}{{ report.table(table) }}{{ report.points(["a & b"]) }}{% endcall %}
{{ report.drawing(chart, "A line") }}{% endblock %}"""


def render(table: ReportTable, svg: str = "<svg></svg>") -> str:
    """A page with a table and a chart."""
    environment = make_report_environment("internal.pages")
    return environment.from_string(PAGE).render(table=table, chart=inline_chart(svg))


def test_one_file() -> None:
    """Nothing in it is loaded, its policy forbids every address, and it has the pages' colours for both schemes."""
    page = render(ReportTable("Any", ["a"], [["b"]]))
    assert (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        in page
    )
    assert not re.search(r"<(?:link|script|img)\b|@font-face|@import|url\(", page)
    assert 'name="viewport"' in page
    assert "--ink: light-dark(" in page


def test_tables_are_escaped() -> None:
    """A text is never markup; the marked row is strong, and columns after the first are numbers unless it is prose."""
    page = render(ReportTable("A <b>", ["name", "value"], [["<i>", "1"], ["own", "2"]], marked="own"))
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
    assert '<th scope="row"><strong>own</strong></th><td class="n">2</td>' in page
    assert "<td>2</td>" in render(ReportTable("A", ["a", "b"], [["x", "2"]], prose=True))
    assert "a &amp; b" in page


def test_charts_take_the_colours_of_the_page() -> None:
    """The declaration is cut off, ids of groups are dropped, and each colour is a variable of the style sheet."""
    drawn = f'<?xml version=\'1.0\'?><svg><g id="figure_1"><path style="fill: {INK}"/></g></svg>'
    assert inline_chart(drawn) == '<svg><g><path style="fill: var(--ink)"/></g></svg>'
    sheet = render(ReportTable("Any", ["a"], []))
    assert all(f"{token[4:-1]}: light-dark({colour}" in sheet for colour, token in CHART_COLOURS.items())
