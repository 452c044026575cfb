"""Files of an evaluation: JSON, each chart as PNG, and one HTML page with the tables and the same charts."""

import json
from pathlib import Path
from uuid import uuid4

from internal.errors import UnavailableError
from models.evaluation import Evaluation
from models.evaluation_page import EvaluationPage


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write `evaluation.json`, `evaluation.html` and the charts; the path of the page.

    Everything is computed before the first byte is written, and each file is written atomically.

    Raises:
        UnavailableError: The folder cannot be written, for example because the disk is full.
    """
    from models.figures import draw_charts  # noqa: PLC0415 - importing matplotlib takes a second

    charts = draw_charts(evaluation)
    page = EvaluationPage.of(evaluation, {name: svg.decode() for name, (_, svg) in charts.items()})
    contents = {f"{name}.png": png for name, (png, _) in charts.items()}
    contents["evaluation.json"] = json.dumps(evaluation.to_json(), indent=2).encode()
    contents["evaluation.html"] = page.render().encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _write(folder / name, content)
    except OSError as error:
        raise UnavailableError(
            f"the report {folder} cannot be written ({error.strerror}): free some disk space; `models evaluate` writes "
            "it again"
        ) from error
    return folder / "evaluation.html"


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}-{uuid4().hex}")
    try:
        partial.write_bytes(content)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
