"""Two runs side by side as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from hardneg.compare.pairs import Change, Comparison
from hardneg.report.embed import policy
from hardneg.report.facts import excerpt
from hardneg.report.page import environment, joined
from hardneg.report.pictures import Album
from hardneg.report.recordings import Recordings
from hardneg.run import Run
from hardneg.storage import place

__all__ = ["write_comparison"]

_TEXT, _PICTURE = 200, 96


def write_comparison(found: Comparison, out: Path) -> Path:
    """Write the page; the same bytes for the same runs. Raises StorageError where it cannot be written."""
    style = joined(("base.css", "tables.css", "pictures.css", "sounds.css", "print.css"))
    script = joined(("theme.js",))
    page = environment("hardneg.compare").get_template("compare.html.j2").render(
        found=found,
        names=_names(found.before.path, found.after.path),
        groups=[
            ("left", "Left", f"negatives of {found.before.path.name} alone", _shown(found.left, found.before)),
            ("entered", "Entered", f"negatives of {found.after.path.name} alone", _shown(found.entered, found.after)),
        ],
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 - our own files, no data in them
        script=Markup(script),  # noqa: S704
    )  # fmt: skip
    with place(out) as file:
        file.write(page.encode("utf-8"))
    return out


def _names(one: Path, other: Path) -> tuple[str, str]:
    """Names of the runs, with their folders where these alone tell them apart."""
    return (one.name, other.name) if one.name != other.name else (str(one), str(other))


def _shown(changes: Sequence[Change], run: Run) -> list[dict[str, Any]]:
    album = Album(run.items) if run.items.sounds is None else Recordings(run.items)
    return [
        {"change": change, "examples": [_example(run, album, *example) for example in change.examples]}
        for change in changes
    ]


def _example(run: Run, album: Album, anchor: int, item: int, score: float) -> dict[str, Any]:
    left, right = (
        excerpt(things, np.array([row]), _TEXT)[0] for things, row in ((run.anchors, anchor), (run.items, item))
    )
    return {"anchor": left, "item": right, "score": score, "picture": album.thumbs(np.array([item]), _PICTURE)[0]}
