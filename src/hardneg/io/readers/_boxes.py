"""From boxes, whatever they are written in, to relations: what each detection is, and an account of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.detect import Detections, Kind, Mistakes, matched, mistakes
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import named_files
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._box_rows import Box, Places, gather
from hardneg.io.readers._found import found_in
from hardneg.io.reading import Reading, Skips
from hardneg.positives import Positives

__all__ = ["Open", "Scene", "found_by", "read_boxes"]

# What is no item, and why; a manifest counts each.
_LEFT_OUT = (Kind.UNCOUNTED, Kind.LOCALISATION, Kind.DUPLICATE, Kind.BOTH)


@dataclass(frozen=True, eq=False)
class Scene:
    """What a data set of boxes holds.

    Args:
        format: what it is written in, for people.
        images: a row for each image: its id and, if there are pictures, its ``path``.
        categories: their names.
        places: what stands for these images and categories.
        truth: the boxes that are there, read as they are asked for.
        files: those that were read.
    """

    format: str
    images: Collection
    categories: Sequence[str]
    places: Places
    truth: Iterable[Box]
    files: Sequence[Path]


Open = Callable[[Path, ReadOptions, Skips, Skips], Scene]
"""Opens a data set; what is left out, and what is odd, is counted in the skips and notes."""


def read_boxes(path: Path, options: ReadOptions, skips: Skips, *, opened: Open) -> Reading:
    """Read boxes, and the mistakes of a detector among them.

    Raises InputError for data that are wrong, OptionError for options that boxes do not have.
    """
    _refuse_options(options)
    notes = Skips()
    scene = opened(path, options, skips, notes)
    _check_names(scene.categories, path)
    truth = gather(scene.truth, scene.places, skips, notes, scored=False).truth()
    found, files = found_by(scene, options.predictions, options.least_score, skips, notes)
    second, more = found_by(scene, options.agreeing, 0, skips, notes)
    judged = mistakes(truth, found, matched(truth, found))
    for kind in _LEFT_OUT:
        rows = np.flatnonzero(judged.kind == kind)
        skips.add_rows(f"detection_{kind.name.lower()}", rows, lambda row: _name(found, scene.images, row))
    agreeing = None if options.agreeing is None else second
    positives = Positives.from_boxes(
        truth, found, judged, images=scene.images, categories=scene.categories, second=agreeing
    )
    counts = {
        "images": len(scene.images), "categories": len(scene.categories), "boxes": len(truth),
        "detections": len(found), **_tally(judged),
        **({} if agreeing is None else {"detections_of_second": len(second)}), **_labelled(positives),
    }  # fmt: skip
    return Reading(
        positives,
        scene.format,
        skips.list(),
        named_files([*scene.files, *files, *more]),
        item_vectors=_scores(positives),
        counts=counts,
        notes=notes.list(),
    )


def _refuse_options(options: ReadOptions) -> None:
    usual = ReadOptions()
    for name in ("corpus", "unlabelled", "columns", "grades", "anchors", "positives", "anchor_vectors", "item_vectors"):
        if getattr(options, name) != getattr(usual, name):
            raise OptionError(f"The option '{name}' is not for boxes. Leave it out.")


def _check_names(names: Sequence[str], path: Path) -> None:
    twice = sorted({one for one in names if names.count(one) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError(
            f"The name of a category must be unique. '{twice[0]}' is there twice.", path=path, remedy="Rename one."
        )


def found_by(
    scene: Scene, results: Path | None, least: float, skips: Skips, notes: Skips
) -> tuple[Detections, Sequence[Path]]:
    """The detections and their files; without results there are none."""
    if results is None:
        none = np.zeros(0, np.int64)
        return Detections(none, none, np.zeros((0, 4)), np.zeros(0)), ()
    place, before = Path(results), sum(one.count for one in skips.list())
    rows, files = found_in(place, scene.places)
    found = gather(rows, scene.places, skips, notes, scored=True, least=least).detections()
    if not len(found):
        reasons = ", ".join(f"{one.count} {one.reason}" for one in skips.list())
        lost = sum(one.count for one in skips.list()) - before
        raise InputError(
            f"None of the results can be used with these images and categories ({lost} were read; left out in all: "
            f"{reasons or 'nothing'}).",
            path=place,
            remedy="Check that they belong to these data, and that each has a score.",
        )
    _check_scores(found, place)
    return found, files


def _check_scores(found: Detections, place: Path) -> None:
    outside = (found.score < 0) | (found.score > 1)
    if not outside.any():
        return
    row = int(np.flatnonzero(outside)[0])
    percent = found.score.min() >= 0 and found.score.max() <= 100 and np.median(found.score) > 1
    raise InputError(
        f"The scores must be probabilities, in [0, 1]. {int(outside.sum())} of {len(found)} are not (first: "
        f"{found.score[row]:g} in place {row}).",
        path=place,
        remedy="These look like percentages: divide them by 100."
        if percent
        else "These look like logits: put them through the logistic function first.",
    )


def _name(found: Detections, images: Collection, row: int) -> str:
    box = ", ".join(f"{one:g}" for one in found.box[row])
    return f"image {images.ids[int(found.image[row])].as_py()}, box {box}, score {found.score[row]:.2f}"


def _tally(judged: Mistakes) -> dict[str, int]:
    return {f"detections_{kind.name.lower()}": int((judged.kind == kind).sum()) for kind in Kind}


def _labelled(positives: Positives) -> dict[str, int]:
    labelled = 0 if positives.classes is None else int(positives.classes.labelled().sum())
    items = len(positives.items)
    return {"items": items, "labelled": labelled, "unlabelled": items - labelled, "anchors": len(positives.anchors)}


def _scores(positives: Positives) -> NDArray[np.float32] | None:
    """Without pictures, vectors whose cosine with what is there is the detector's score: there is nothing else."""
    if positives.items.pictures is not None:
        return None
    score: Any = positives.items.table.column("detector_score").fill_null(1.0).to_numpy()
    return np.stack([score, np.sqrt(1 - np.square(score))], axis=1).astype(np.float32)
