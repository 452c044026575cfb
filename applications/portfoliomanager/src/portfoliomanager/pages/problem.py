"""The page of a problem, for people: what happened and what to do, with the status of the answer."""

from fastapi import Request, Response

from internal.http.problem_body import Problem
from internal.pages.responses import page_response
from portfoliomanager.pages.frame import NAVIGATION
from portfoliomanager.pages.rendering import page_environment


def show_problem(request: Request, problem: Problem) -> Response:
    """The page; it asks no other service, for one of those may be what is down."""
    html = page_environment().get_template("problem.html").render(problem=problem, navigation=NAVIGATION)
    return page_response(request, html, problem.status)
