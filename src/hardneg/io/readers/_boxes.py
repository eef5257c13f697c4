"""From boxes, whatever they are written in, to relations: what each detection is, and an account of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import items_from
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import named_files
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._box_rows import gather
from hardneg.io.readers._films import with_films
from hardneg.io.readers._judging import judge
from hardneg.io.readers._results import no_results, results_in
from hardneg.io.readers._scene import Open
from hardneg.io.reading import Reading, Skips
from hardneg.positives import Positives

__all__ = ["read_boxes"]


def read_boxes(path: Path, options: ReadOptions, skips: Skips, *, opened: Open) -> Reading:
    """Read boxes, and the mistakes of a detector among them.

    Raises InputError for data that are wrong, OptionError for options that boxes do not have.
    """
    _refuse_options(options)
    notes = Skips()
    scene = opened(path, options, skips, notes)
    _check_names(scene.categories, path)
    truth = gather(scene.truth, scene.places, skips, notes)
    found, second = (
        no_results() if file is None else results_in(Path(file), scene.places, least, skips, notes)
        for file, least in ((options.predictions, options.least_score), (options.agreeing, 0.0))
    )
    judged = judge(scene, truth, found, second if options.agreeing is not None else None, options.most_mistakes, skips)
    items = items_from(truth, judged.said, scene.images, scene.categories)
    items = with_films(items, scene, truth, found)
    positives = Positives.from_box_items(items)
    counts = {
        "images": len(scene.images), "categories": len(scene.categories), "boxes": len(truth),
        "detections": found.count, **judged.kinds,
        **({} if options.agreeing is None else {"detections_of_second": second.count}), **_labelled(positives),
    }  # fmt: skip
    return Reading(
        positives,
        scene.format,
        skips.list(),
        named_files([*scene.files, *found.files, *second.files]),
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
