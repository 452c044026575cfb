"""Renders a template of the pages within its frame."""

from functools import cache

from jinja2 import Environment

from internal.pages.environment import make_environment
from portfoliomanager.pages.close_to_decision import write_seconds
from portfoliomanager.pages.frame import Frame


@cache
def page_environment() -> Environment:
    """The environment of this application's pages."""
    environment = make_environment(["portfoliomanager.pages"])
    environment.filters["seconds"] = write_seconds
    return environment


def render_page(template: str, frame: Frame, view: object) -> str:
    """The page as HTML: a template that extends `page.html`, with the names `frame` and `view`."""
    return page_environment().get_template(template).render(frame=frame, view=view)


def render_part(template: str, view: object) -> str:
    """A part of a page, for htmx: a template without a frame, with the name `view`."""
    return page_environment().get_template(template).render(view=view)
