"""Writes the generated pages into docs/, before the site is built: `python -m infrastructure.documentation`."""

from infrastructure.documentation.commands import write_commands_page
from infrastructure.documentation.http_api import write_http_page
from infrastructure.documentation.index_for_models import ROOT, write_index

DOCS = ROOT / "docs"

if __name__ == "__main__":
    (DOCS / "reference" / "commands.md").write_text(write_commands_page())
    (DOCS / "reference" / "http_api.md").write_text(write_http_page())
    (DOCS / "llms.txt").write_text(write_index(DOCS))
