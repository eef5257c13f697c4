"""Boxes in pictures, read to be judged and looked at: what is there, and what one or two detectors found.

Nothing is mined here, so a split for evaluation is as good as any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.detect import Detections, Truth
from hardneg.errors import HardnegError, MissingExtraError
from hardneg.io.readers._assemble import named_files
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._box_rows import gather
from hardneg.io.readers._results import GROUP, Results, results_in
from hardneg.io.reading import Skip, Skips
from hardneg.io.run_data import data_of, split_of
from hardneg.io.scenes import scene_of
from hardneg.run import Run
from hardneg.storage import digest

__all__ = ["Scenes", "read_scenes", "scenes_of"]


@dataclass(frozen=True, eq=False)
class Scenes:
    """A data set of boxes, with the results of detectors.

    Args:
        format: what it is written in, for people.
        images: a row for each image: its id and, where its picture is at hand, its ``path``.
        sizes: for each image its width and height in pixels, where they are known.
        categories: their names.
        truth: what is there.
        found: what each detector found.
        skips: what was left out, with reasons.
        notes: what is odd and in use.
        files: those that were read, by name.
    """

    format: str
    images: Collection
    sizes: Sequence[tuple[float, float] | None]
    categories: Sequence[str]
    truth: Truth
    found: tuple[Detections, ...]
    skips: Sequence[Skip]
    notes: Sequence[Skip]
    files: Mapping[str, Path]


def read_scenes(path: Path, results: Sequence[Path], *, options: ReadOptions) -> Scenes:
    """Read a data set of boxes and the results of detectors for it.

    Images are numbered in the order of their ids, as pycocotools looks at them, so that finds with equal scores stand
    alike and the figures are the same.

    Args:
        path: a COCO file, a YOLO folder or its data.yaml, a Pascal VOC folder.
        results: of each detector, in any of these forms.
        options: the split, the folder of pictures, and from which score on results are read.

    Raises InputError for what holds no boxes, and as for any data of boxes.
    """
    skips, notes = Skips(), Skips()
    scene = scene_of(path, replace(options, mine_evaluation=True), skips, notes)
    truth = gather(scene.truth, scene.places, skips, notes)
    found = [results_in(one, scene.places, options.least_score, skips, notes) for one in results]
    order = np.array(pc.array_sort_indices(scene.images.ids))
    number = np.argsort(order)
    return Scenes(
        scene.format,
        Collection(scene.images.table.take(pa.array(order)), scene.images.root),
        [scene.places.sizes[row] for row in order.tolist()],
        scene.categories,
        replace(truth, image=number[truth.image]),
        tuple(replace(one, image=number[one.image]) for one in map(_whole, found)),
        skips.list(),
        notes.list(),
        named_files([*scene.files, *(file for one in found for file in one.files)]),
    )


def _whole(found: Results) -> Detections:
    """All that a detector found, image by image in groups, each in the order of the file."""
    parts = [(group * GROUP, found.of(group)) for group in found.groups()]
    return Detections(
        np.concatenate([one.image + first for first, one in parts]),
        np.concatenate([one.category for _, one in parts]),
        np.concatenate([one.box for _, one in parts]),
        np.concatenate([one.score for _, one in parts]),
    )


def scenes_of(run: Run) -> Scenes | str:
    """The data of a mining of detections, read again as they were mined; or why they cannot be, in words.

    Data that have changed since are not those that were mined, so they are not given.
    """
    data = data_of(run)
    if not {"path", "predictions"} <= set(data):
        return "the run has no recipe that names its data"
    for name in ("path", "predictions"):
        if not Path(data[name]).exists():
            return f"'{Path(data[name]).name}' is not there any more"
    try:
        found = read_scenes(data["path"], [data["predictions"]], options=replace(split_of(data), **_told(data)))
    except MissingExtraError as error:
        return f"they cannot be read ({error})"
    except HardnegError:  # its message names where the data lie, and a page must not
        return f"'{Path(data['path']).name}' or the results cannot be read any more"
    mined: Mapping[str, str] = run.manifest.get("data", {}).get("files", {})
    changed = [name for name, file in found.files.items() if name in mined and mined[name] != digest(file)]
    return f"'{changed[0]}' has changed since the mining" if changed else found


def _told(data: Mapping[str, Any]) -> dict[str, Any]:
    root = data.get("media_root")
    there = root is not None and Path(root).is_dir()
    return {"predictions": data["predictions"], "least_score": data.get("least_score", 0.0)} | (
        {"media_root": root} if there else {}
    )
