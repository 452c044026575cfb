"""The Jinja2 environment of pages and reports: templates of the library and of an application, formats and marks."""

from collections.abc import Sequence
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from internal.pages import marks
from internal.pages.formats import FORMATS
from internal.pages.static_files import static_address


def make_environment(packages: Sequence[str] = ()) -> Environment:
    """An environment that escapes every value, and in which an unknown name is an error.

    Args:
        packages: Python packages with a folder `templates` of their own, which may extend `base.html` and import
            `parts.html` of the library.
    """
    loaders = [PackageLoader(package) for package in ("internal.pages", *packages)]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update({format_.__name__: format_ for format_ in FORMATS})
    shared: dict[str, Any] = {"marks": marks, "static": static_address}
    environment.globals.update(shared)
    return environment
