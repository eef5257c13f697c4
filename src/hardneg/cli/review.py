"""``hardneg review``: people decide what candidates are."""

from __future__ import annotations

import getpass
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

import click

from hardneg.cli._common import console, run_argument
from hardneg.decisions import FILE
from hardneg.review.desk import Desk
from hardneg.review.serve import serve
from hardneg.run import Run

__all__ = ["command"]


@click.command(short_help="Decide on a run's candidates, on a local page.")
@run_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on this machine (a free one).")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--name", help="Who reviews (your login name; it can be changed on the page).")
def command(run: Path, port: int, no_browser: bool, name: str | None) -> None:
    """Look at RUN's candidates and say which are negatives, positives, or neither.

    The page is for this machine alone: its address holds a secret. Every answer is kept in RUN/decisions.jsonl before
    the next candidate comes, so the page can be stopped (Ctrl+C) at any time and goes on where it was. 'hardneg
    refilter RUN' and 'hardneg mine --decisions RUN' make use of the answers.
    """
    desk = Desk.of(Run.open(run))
    who = name or _login()

    def ready(address: str) -> None:
        whole = f"{address}?{urlencode({'who': who})}" if who else address
        click.echo(whole)
        console.print(f"Answers go to {run / FILE}. Stop with Ctrl+C.", markup=False, highlight=False)
        if not no_browser:
            webbrowser.open(whole)

    serve(desk, port, who, ready)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return ""
