"""``hardneg faces``: from pictures of people to faces cut out, ready to be mined."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import get_args

import click

from hardneg.cli._common import NameValue, console, overwrite_option, say_left_out
from hardneg.cropping import Cropped, Rules, Several, crop_faces
from hardneg.io.readers import ReadOptions
from hardneg.progress import for_console
from hardneg.report.numbers import plural

__all__ = ["command"]

_USUAL = Rules()


@click.command(short_help="Cut the faces out of pictures of people.")
@click.argument("source", metavar="IN", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--several", type=click.Choice(get_args(Several)), default=_USUAL.several, show_default=True,
    help="Of a picture with several faces take the largest, all, or none.",
)  # fmt: skip
@click.option(
    "--least-score", type=float, default=_USUAL.least_score, show_default=True,
    help="How sure the detector must be, from 0 to 1.",
)  # fmt: skip
@click.option(
    "--least-size", type=float, default=_USUAL.least_size, show_default=True,
    help="The shorter side of the smallest face taken, in pixels.",
)  # fmt: skip
@click.option("--column", "columns", type=NameValue(), multiple=True, help="Your own column, as in label=person_id.")
@click.option("--media-root", type=click.Path(path_type=Path), help="The folder that the paths of a table begin in.")
@click.option("--detector", help="Another ONNX file of YuNet.")
@click.option("--recogniser", help="Another ONNX file of SFace.")
@overwrite_option
def command(
    source: Path,
    out: Path,
    several: Several,
    least_score: float,
    least_size: float,
    columns: tuple[tuple[str, str], ...],
    media_root: Path | None,
    **given: object,
) -> None:
    """Cut the faces out of the pictures of IN, all turned and sized alike, into OUT/<identity>/<name>.png.

    IN is a folder with a folder of pictures for each person, or a table with the paths of pictures and a label. What
    has no face is left out and counted. OUT/faces.csv lists the crops. Stopped, the same command goes on.

    \b
        hardneg faces people/ faces/
        hardneg mine faces/ --encoder sface -o runs/a
    """  # noqa: D301 - click's own mark for text that keeps its lines
    rules = Rules(several, least_score, least_size)
    options = ReadOptions(columns=dict(columns), media_root=media_root)
    made = crop_faces(source, out, rules, options=options, progress=for_console(console), **given)  # type: ignore[arg-type]
    _say(made)


def _say(made: Cropped) -> None:
    counts = made.counts
    if not made.anew:
        console.print("All of this was done before; nothing is done again.", markup=False, highlight=False)
    say_left_out(made.skips, made.notes)
    console.print(
        f"\n{plural(counts['faces'], 'face')} of {plural(counts['identities'], 'person', 'people')} cut out of "
        f"{plural(counts['pictures'], 'picture')}: {made.out / 'faces.csv'}\n"
        f"Mine them: hardneg mine {shlex.quote(str(made.out))} --encoder sface -o runs/NAME",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
