"""`fund data import`: a file's bars and details reach the lake through a real datamanager."""

from datetime import date
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from fund.addresses import Addresses
from fund.data_import import import_files, split_by_sessions
from fund.display import Display
from fund.folder import FundFolder
from fund.processes import running_processes
from fund.services import Service
from internal.dates import sessions
from internal.errors import ConflictError
from internal.lake.store import Lake
from libraries.python.tests.free_ports import free_ports

DAYS = sessions(date(2024, 1, 2), date(2024, 1, 31))


def write_files(folder: Path, close: str = "11") -> tuple[Path, Path]:
    """Bars of two tickers, one row of which is outside low..high, and their details."""
    rows = [f"{ticker};{day:%d.%m.%Y};10;12;9;{close};500" for day in DAYS for ticker in "AB"]
    rows[-1] = rows[-1].replace(";12;", ";10,5;")
    (folder / "bars.csv").write_text("\n".join(["Symbol;Date;Open;High;Low;Close;Volume", *rows]))
    (folder / "details.CSV").write_text("ticker,name,sector\nA,Aye,Energy\nB,Bee,Utilities\n")
    return folder / "bars.csv", folder / "details.CSV"


def test_import(tmp_path: Path) -> None:
    """Every bar and detail is in the lake; the same file changes nothing, another is refused and then replaces."""
    folder = FundFolder(tmp_path / "fund")
    addresses = Addresses(dict(zip(Service, free_ports(len(Service)), strict=True)))
    output = StringIO()
    display = Display(Console(file=output, width=80))
    lake = Lake(str(folder.lake))
    import_files(*write_files(tmp_path), folder, addresses, display, replace=False)
    version = lake.version("equity_bars")
    import_files(*write_files(tmp_path), folder, addresses, display, replace=False)
    with pytest.raises(ConflictError, match=f"21 of the 21 sessions with other rows, the first is {DAYS[0]}"):
        import_files(*write_files(tmp_path, "11,5"), folder, addresses, display, replace=False)
    assert version == lake.version("equity_bars")
    assert lake.scan("equity_bars").collect().get_column("close").to_list() == [11.0] * 41
    import_files(*write_files(tmp_path, "11,5"), folder, addresses, display, replace=True)

    printed = " ".join(output.getvalue().split())
    assert "sessions imported: 21, present before: 0; bars: 41, rows in quarantine: 1" in printed
    assert "sessions imported: 0, present before: 21" in printed
    assert lake.scan("equity_bars").collect().get_column("close").to_list() == [11.5] * 41
    details = lake.scan("equity_details").select("ticker", "name", "sector", "industry").sort("ticker").collect()
    assert details.rows() == [("A", "Aye", "Energy", None), ("B", "Bee", "Utilities", None)]
    assert running_processes(folder) == {}


def test_parts() -> None:
    """Whole sessions, those in the lake first; every row once."""
    bars = pl.DataFrame([(day, ticker) for day in DAYS for ticker in "ABC"], schema=["date", "ticker"], orient="row")
    parts = split_by_sessions(bars, {DAYS[4], DAYS[9]}, 7)

    assert parts[0].get_column("date").unique().sort().to_list() == [DAYS[4], DAYS[9]]
    assert pl.concat(parts).sort("date", "ticker").equals(bars)
    assert max(part.height for part in parts) <= 7
