"""``hardneg detect``: what a detector finds in pictures, as results that are mined."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from hardneg.cli._common import NameValue, console, overwrite_option, say_left_out, say_plainly, table
from hardneg.detecting import Detector, detect, files_of, views_of
from hardneg.detecting.detectors import Labels
from hardneg.errors import OptionError
from hardneg.progress import for_console
from hardneg.report.numbers import plural

__all__ = ["command"]

_PATH = click.Path(exists=True, path_type=Path)


@click.command(short_help="Run a detector over pictures.")
@click.argument("pictures", type=_PATH)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("found.json"), show_default=True,
              help="The file to make.")  # fmt: skip
@click.option("--detector", metavar="TARGET", required=True, help="package.module:function or file.py:function.")
@click.option("--ground-truth", "truth", type=_PATH, help="The data set of boxes that the pictures are of.")
@click.option("--split", help="Of a data set with splits, the one to look at (that for training).")
@click.option("--labels", type=click.Choice(get_args(Labels)), default="told", show_default=True,
              help="What numbers of labels are: ids of categories, or their places in the data.")  # fmt: skip
@click.option("--label", "names", type=NameValue(), multiple=True, help="The name of a number, as in 1=cat; repeat.")
@click.option("--views", default="", metavar="LIST", help="Ask again, mirrored and at other sizes: flip,0.75,1.5")
@click.option("--batch", type=int, default=8, show_default=True, help="Pictures that the function gets at a time.")
@click.option("--version", help="Of your function, where its model changes and its file does not.")
@overwrite_option
def command(pictures: Path, out: Path, **options: Any) -> None:
    """Run a detector over PICTURES, a folder, and write what it found as COCO results.

    The detector is your function: it gets a list of PIL images and returns one result for each, as torchvision,
    Ultralytics or supervision have them, or rows of left, top, right, bottom, score and label. A torch module or a
    model of Ultralytics may stand in its place. Stopped, it goes on where it was.

    \b
        hardneg detect images/ --detector model.py:detect --ground-truth annotations.json -o found.json
        hardneg detect images/ --detector model.py:detect --ground-truth boxes.json --views flip,0.75,1.5 -o found.json
        hardneg mine annotations.json --predictions found.json --agreeing found.views.json --images images/ -o runs/a
    """  # noqa: D301 - click's own mark for text that keeps its lines
    detector = Detector(
        options["detector"], options["version"], options["batch"], labels=options["labels"],
        names=tuple(_numbered(*one) for one in options["names"]),
    )  # fmt: skip
    views = views_of(options["views"])
    summary = detect(
        pictures, detector, out=out, truth=options["truth"], split=options["split"], views=views,
        progress=for_console(console), overwrite=options["overwrite"],
    )  # fmt: skip
    _say(summary, pictures, out, options)


def _numbered(number: str, name: str) -> tuple[int, str]:
    if not number.isdecimal():
        raise OptionError(f"The 'label' must be a number with its name, as in 1=cat. Got '{number}={name}'.")
    return int(number), name


def _say(summary: Mapping[str, Any], pictures: Path, out: Path, options: Mapping[str, Any]) -> None:
    """What was found, and what to do next."""
    say_plainly(
        f"{plural(summary['detections'], 'detection')} in {plural(summary['looked_at'], 'picture')} of "
        f"{summary['pictures']:,}; nothing in {summary['pictures_without_any']:,}."
    )
    console.print(table(str(out), ("category", "detections"), list(summary["categories"].items())))
    say_left_out(summary["left_out"] + summary["detections_left_out"], summary["noted"])
    mined = ["hardneg", "mine", options["truth"] or "ANNOTATIONS.json", "--predictions", out]
    mined += ["--split", options["split"]] if options["split"] else []
    if "views" in summary:
        of_views = files_of(out)[2]
        say_plainly(
            f"\nConfirmed by another view: {summary['confirmed_by_a_view']:,} of {summary['detections']:,} ({of_views})"
        )
        mined += ["--agreeing", of_views]
    say_plainly(f"\nResults:  {out}")
    say_plainly(f"Mine:     {shlex.join(map(str, [*mined, '--images', pictures, '-o', 'runs/a']))}")
