"""`fund run`: the fund for real, in one command."""

import typer

commands = typer.Typer(add_completion=False)


@commands.command()
def run() -> None:
    """Run the fund for real by fund.toml: services and scheduler, until Ctrl-C or `./fund down`. Run again, it resumes.

    `./fund init` writes fund.toml. The first run collects two years of bars and trains a model.
    """
    from fund.real_run import run_fund

    run_fund()
