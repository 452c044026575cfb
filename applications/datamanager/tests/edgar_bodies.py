"""Bodies in the form that EDGAR serves (https://www.sec.gov/search-filings/edgar-application-programming-interfaces).

The figures are those of Apple's reports on the fiscal years 2023 and 2024; of the bodies, what is read is kept, with
one filing more (an amendment that Apple did not make) and other moments of acceptance.
"""

from typing import Any

APPLE = "0000320193"
MILLION = 1_000_000
TICKERS_BODY: dict[str, Any] = {
    "0": {"cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc."},
    "1": {"cik_str": 1067983, "ticker": "BRK-B", "title": "BERKSHIRE HATHAWAY INC"},
}
# accession, form, accepted as the body says it (UTC), report date
FILINGS = (
    ("0000320193-23-000106", "10-K", "2023-11-02T22:08:27.000Z", "2023-09-30"),
    ("0000320193-24-000005", "8-K", "2024-02-01T21:30:21.000Z", "2024-02-01"),
    ("0000320193-24-000006", "10-Q", "2024-02-01T23:03:38.000Z", "2023-12-30"),
    ("0000320193-24-000069", "10-Q", "2024-05-02T22:04:25.000Z", "2024-03-30"),
    ("0000320193-24-000070", "10-Q/A", "2024-06-03T20:30:00.000Z", "2024-03-30"),
    ("0000320193-24-000081", "10-Q", "2024-08-01T22:03:35.000Z", "2024-06-29"),
    ("0000320193-24-000123", "10-K", "2024-11-01T10:01:36.000Z", "2024-09-28"),
)
# accession, fiscal year and period, shares on the cover, equity at the period's end, and net income by period: millions
REPORTS: tuple[
    tuple[str, int, str, tuple[str, int], tuple[tuple[str, int], ...], tuple[tuple[str, str, int], ...]], ...
] = (
    (
        *("0000320193-23-000106", 2023, "FY", ("2023-10-20", 15_552_752_000)),
        (("2022-09-24", 50_672), ("2023-09-30", 62_146)),
        (("2021-09-26", "2022-09-24", 99_803), ("2022-09-25", "2023-09-30", 96_995)),
    ),
    (
        *("0000320193-24-000006", 2024, "Q1", ("2024-01-19", 15_441_881_000)),
        (("2023-09-30", 62_146), ("2023-12-30", 74_100)),
        (("2022-09-25", "2022-12-31", 29_998), ("2023-10-01", "2023-12-30", 33_916)),
    ),
    (
        *("0000320193-24-000069", 2024, "Q2", ("2024-04-19", 15_334_082_000)),
        (("2023-09-30", 62_146), ("2024-03-30", 74_194)),
        (
            ("2022-09-25", "2023-04-01", 54_158),
            ("2023-01-01", "2023-04-01", 24_160),
            ("2023-10-01", "2024-03-30", 57_552),
            ("2023-12-31", "2024-03-30", 23_636),
        ),
    ),
    (
        *("0000320193-24-000070", 2024, "Q2", ("2024-04-19", 15_334_082_000)),
        (("2024-03-30", 74_094),),
        (("2023-10-01", "2024-03-30", 57_452), ("2023-12-31", "2024-03-30", 23_536)),
    ),
    (
        *("0000320193-24-000081", 2024, "Q3", ("2024-07-19", 15_204_137_000)),
        (("2023-09-30", 62_146), ("2024-06-29", 66_708)),
        (
            ("2022-09-25", "2023-07-01", 74_039),
            ("2023-04-02", "2023-07-01", 19_881),
            ("2023-10-01", "2024-06-29", 79_000),
            ("2024-03-31", "2024-06-29", 21_448),
        ),
    ),
    (
        *("0000320193-24-000123", 2024, "FY", ("2024-10-18", 15_115_823_000)),
        (("2023-09-30", 62_146), ("2024-09-28", 56_950)),
        (("2022-09-25", "2023-09-30", 96_995), ("2023-10-01", "2024-09-28", 93_736)),
    ),
)


def _columns(filings: list[tuple[str, str, str, str]]) -> dict[str, list[Any]]:
    return {
        "accessionNumber": [one[0] for one in filings],
        "filingDate": [one[2][:10] for one in filings],
        "reportDate": [one[3] for one in filings],
        "acceptanceDateTime": [one[2] for one in filings],
        "act": ["34"] * len(filings),
        "form": [one[1] for one in filings],
        "primaryDocument": ["document.htm"] * len(filings),
    }


def submissions_body() -> dict[str, Any]:
    """The company's submissions: the filings of 2024, newest first, and the name of the file with the older one."""
    recent = sorted(FILINGS[1:], key=lambda one: one[2], reverse=True)
    older = {"name": f"CIK{APPLE}-submissions-001.json", "filingCount": 1}
    return {
        "cik": "0000320193",
        "entityType": "operating",
        "sic": "3571",
        "sicDescription": "Electronic Computers",
        "name": "Apple Inc.",
        "tickers": ["AAPL"],
        "exchanges": ["Nasdaq"],
        "fiscalYearEnd": "0928",
        "formerNames": [
            {"name": "APPLE COMPUTER INC", "from": "1994-01-26T05:00:00.000Z", "to": "2007-01-04T05:00:00.000Z"}
        ],
        "filings": {
            "recent": _columns(recent),
            "files": [older | {"filingFrom": "2023-11-03", "filingTo": "2023-11-03"}],
        },
    }


def older_body() -> dict[str, Any]:
    """The file with the older filing."""
    return _columns([FILINGS[0]])


def facts_body() -> dict[str, Any]:
    """The company's facts."""
    shares: list[dict[str, Any]] = []
    equity: list[dict[str, Any]] = []
    income: list[dict[str, Any]] = []
    forms = {accession: (form, accepted[:10]) for accession, form, accepted, _ in FILINGS}
    for accession, year, period, cover, balances, incomes in REPORTS:
        form, filed = forms[accession]
        filing = {"accn": accession, "fy": year, "fp": period, "form": form, "filed": filed}
        shares.append({"end": cover[0], "val": cover[1], **filing})
        equity += [{"end": end, "val": value * MILLION, **filing} for end, value in balances]
        income += [{"start": start, "end": end, "val": value * MILLION, **filing} for start, end, value in incomes]
    return {
        "cik": 320193,
        "entityName": "Apple Inc.",
        "facts": {
            "dei": {"EntityCommonStockSharesOutstanding": _concept("shares", shares)},
            "us-gaap": {"NetIncomeLoss": _concept("USD", income), "StockholdersEquity": _concept("USD", equity)},
        },
    }


def _concept(unit: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"label": "A label", "description": "What it is.", "units": {unit: rows}}
