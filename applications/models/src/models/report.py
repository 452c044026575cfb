"""Files of an evaluation: JSON, each chart as PNG, and one HTML page with the tables and the same charts."""

import json
from pathlib import Path
from uuid import uuid4

from models.evaluation import Evaluation
from models.evaluation_page import EvaluationPage


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write `evaluation.json`, `evaluation.html` and the charts; the path of the page.

    Everything is computed before the first byte is written, and each file is written atomically.
    """
    from models.figures import draw_charts  # noqa: PLC0415 - importing matplotlib takes a second

    charts = draw_charts(evaluation)
    page = EvaluationPage.of(evaluation, {name: svg.decode() for name, (_, svg) in charts.items()})
    contents = {f"{name}.png": png for name, (png, _) in charts.items()}
    contents["evaluation.json"] = json.dumps(evaluation.to_json(), indent=2).encode()
    contents["evaluation.html"] = page.render().encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        partial = folder / f".{name}-{uuid4().hex}"
        partial.write_bytes(content)
        partial.rename(folder / name)
    return folder / "evaluation.html"
