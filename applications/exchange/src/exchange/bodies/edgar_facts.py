"""Company facts as EDGAR serves them: every amount of every report, with the filing that stated it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from exchange.bodies.edgar_reports import Quarter, Report
from exchange.responses.edgar import CompanyFacts, Concept, Fact

QUARTERS = 4
COVER_DAYS = 14  # from the period's end to the day on the cover
LABELS = {
    "EntityCommonStockSharesOutstanding": "Entity Common Stock, Shares Outstanding",
    "StockholdersEquity": "Stockholders' Equity Attributable to Parent",
    "NetIncomeLoss": "Net Income (Loss) Attributable to Parent",
    "EarningsPerShareDiluted": "Earnings Per Share, Diluted",
}


def company_facts(central_index_key: str, name: str, reports: Sequence[Report]) -> CompanyFacts:
    """The facts of the reports; concepts without a fact are left out, as EDGAR leaves them out."""
    cover = {"EntityCommonStockSharesOutstanding": _concept("EntityCommonStockSharesOutstanding", "shares", reports)}
    statements = {
        concept: _concept(concept, unit, reports)
        for concept, unit in (
            ("EarningsPerShareDiluted", "USD/shares"),
            ("NetIncomeLoss", "USD"),
            ("StockholdersEquity", "USD"),
        )
    }
    facts = {"dei": cover, "us-gaap": statements} if reports else {}
    return CompanyFacts(cik=int(central_index_key), entityName=name, facts=facts)


def _concept(concept: str, unit: str, reports: Sequence[Report]) -> Concept:
    rows = [fact for report in reports for fact in _facts_of(concept, report)]
    rows.sort(key=lambda fact: (fact.end, fact.filed))
    return Concept(label=LABELS[concept], description=f"{LABELS[concept]}.", units={unit: _with_frames(rows)})


def _facts_of(concept: str, report: Report) -> Iterator[Fact]:
    """What one report states of a concept, comparatives of the year before included."""
    if concept == "EntityCommonStockSharesOutstanding":
        day = report.quarter.end + timedelta(days=COVER_DAYS)
        yield _fact(report, None, day, report.quarter.shares_outstanding)
    elif concept == "StockholdersEquity":
        for quarter in (report.quarter, *_last_year_end(report)):
            yield _fact(report, None, quarter.end, quarter.book_equity)
    else:
        per_share = concept == "EarningsPerShareDiluted"
        for quarters in _periods(report):
            total = sum(quarter.net_income for quarter in quarters)
            amount = round(total / quarters[-1].shares_outstanding, 2) if per_share else total
            yield _fact(report, quarters[0].start, quarters[-1].end, amount)


def _periods(report: Report) -> Iterator[Sequence[Quarter]]:
    """The quarter and the year to date, each with the same of the year before; an annual report has years alone."""
    quarters = report.quarters
    to_date = [quarter for quarter in quarters if quarter.year_start == report.quarter.year_start]
    spans = {len(to_date)} if report.quarter.fiscal_period == "FY" else {1, len(to_date)}
    for last in (len(quarters), len(quarters) - QUARTERS):
        for span in sorted(spans):
            if last - span >= 0 and span <= QUARTERS:
                yield quarters[last - span : last]


def _last_year_end(report: Report) -> list[Quarter]:
    """The quarter that ended the fiscal year before."""
    earlier = [one for one in report.quarters if one.fiscal_period == "FY" and one.end < report.quarter.end]
    return earlier[-1:]


def _fact(report: Report, start: date | None, end: date, value: float) -> Fact:
    return Fact(
        start=start,
        end=end,
        val=value,
        accn=report.accession_number,
        fy=report.quarter.fiscal_year,
        fp=report.quarter.fiscal_period,
        form=report.form,
        filed=report.filed_date,
    )


def _with_frames(rows: Sequence[Fact]) -> list[Fact]:
    """The rows; the last filed one of each period says to which calendar frame it belongs."""
    last = {(row.start, row.end): place for place, row in enumerate(rows)}
    return [
        row.model_copy(update={"frame": _frame(row.start, row.end)}) if last[row.start, row.end] == place else row
        for place, row in enumerate(rows)
    ]


def _frame(start: date | None, end: date) -> str | None:
    """The calendar frame of a period; None for one that is neither a quarter nor a year."""
    quarter = f"CY{end.year}Q{(end.month + 2) // 3}"
    if start is None:
        return f"{quarter}I"
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    return {3: quarter, 12: f"CY{end.year}"}.get(months)
