"""``hardneg check-trainer``: does the training throw mined backgrounds away?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from hardneg.report.numbers import plural
from hardneg.trainers import Effect, Finding, check, image_counts

__all__ = ["command"]

_PATH = click.Path(exists=True, path_type=Path)


@click.command(short_help="See whether a trainer throws images without boxes away.")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("data", metavar="[RUN|EXPORT]", type=_PATH, required=False)
def command(config: Path, data: Path | None) -> None:
    """Say what a training does to images without boxes, where mined backgrounds are.

    CONFIG is read, never run: a configuration of Detectron2, MMDetection or Ultralytics, or the script or command line
    of torchvision's reference training. With a run, or an export of one, the images meant are counted. The exit status
    is 1 where negatives are lost.

    \b
        hardneg check-trainer faster_rcnn.yaml runs/a
        hardneg check-trainer my_ssd300.py train.json
    """  # noqa: D301 - click's own mark for text that keeps its lines
    counts = None if data is None else image_counts(data)
    found = check(config)
    click.echo(f"{found.trainer}: {config}")
    for one in found.findings:
        _say(one, counts)
    if found.loses:
        raise SystemExit(1)


def _say(one: Finding, counts: Mapping[str, int] | None) -> None:
    place = f"{one.file}:{one.line}" if one.line is not None else str(one.file)
    click.echo(f"\n  An image without boxes {one.effect.value}.\n    {place}")
    click.echo(f"    {one.said}")
    if one.line is not None:
        text = one.file.read_text(encoding="utf-8-sig").splitlines()[one.line - 1].strip()
        click.echo(f"    {text}")
    if one.change:
        click.echo(f"    -> {one.change}")
    if counts is not None and one.effect is not Effect.KEPT:
        what = f"images_without_{one.counts}"
        images, mined = counts.get(what, 0), counts.get(f"{what}_with_negatives", 0)
        click.echo(f"    That is {plural(images, 'image')} of {counts['images']:,}; negatives were mined in {mined:,}.")
