"""COCO: ground truth, and with it a detector's results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection, Id
from hardneg.detect import Detections, Kind, Mistakes, Truth, matched, mistakes
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import named_files
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._bytes import head
from hardneg.io.readers._coco_files import Places, boxes_in, rows_of
from hardneg.io.readers._media import Media
from hardneg.io.reading import Reading, Skips
from hardneg.positives import Positives

__all__ = ["COCO"]

_BEGINS = re.compile(rb'\s*\{\s*"(images|annotations|categories|info|licenses)"\s*:')
# What is no item, and why; a manifest counts each.
_LEFT_OUT = (Kind.UNCOUNTED, Kind.LOCALISATION, Kind.DUPLICATE, Kind.BOTH)


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    return path.is_file() and path.name.endswith((".json", ".json.gz")) and bool(_BEGINS.match(head(path)))


def _read(path: Path, options: ReadOptions, skips: Skips) -> Reading:
    _refuse_options(options)
    notes = Skips()
    images, categories = rows_of(path, "images", "image"), rows_of(path, "categories", "category")
    if not images or not categories:
        raise InputError("There are no images or no categories in it.", path=path, remedy="Give a COCO file.")
    collection = _images(images, options, notes)
    places = Places(_numbered(images), _numbered(categories), _unseen(collection))
    there = boxes_in(path, "annotations", places, skips, scored=False)
    flags = np.array(there.flags, np.int8)
    truth = Truth(*there.columns(), (flags & 1) > 0, (flags & 2) > 0)
    found, judged = _judged(options, places, truth, skips)
    for kind in _LEFT_OUT:
        rows = np.flatnonzero(judged.kind == kind)
        skips.add_rows(f"detection_{kind.name.lower()}", rows, lambda row: _name(found, collection, row))
    names = [str(one.get("name", key)) for key, one in categories.items()]
    second = None if options.agreeing is None else _results(Path(options.agreeing), places, skips)
    positives = Positives.from_boxes(truth, found, judged, images=collection, categories=names, second=second)
    files = named_files([path, *(Path(one) for one in (options.predictions, options.agreeing) if one is not None)])
    agreeing = {} if second is None else {"detections_of_second": len(second)}
    counts = {
        "images": len(images), "categories": len(categories), "boxes": len(truth), "detections": len(found),
        **_tally(judged), **agreeing, **_labelled(positives),
    }  # fmt: skip
    return Reading(
        positives, "coco", skips.list(), files, item_vectors=_scores(positives), counts=counts, notes=notes.list()
    )


COCO = Format("coco", "a JSON file with images, annotations and categories (COCO)", _sniff, _read)


def _numbered(rows: Mapping[Id, object]) -> dict[str, int]:
    return {str(key): row for row, key in enumerate(rows)}


def _unseen(images: Collection) -> frozenset[int]:
    """The images that have no picture, where others have one."""
    if "path" not in images.table.column_names:
        return frozenset()
    return frozenset(np.flatnonzero(images.table.column("path").is_null().to_numpy()).tolist())


def _refuse_options(options: ReadOptions) -> None:
    usual = ReadOptions()
    for name in ("corpus", "unlabelled", "columns", "grades", "anchors", "positives", "anchor_vectors", "item_vectors"):
        if getattr(options, name) != getattr(usual, name):
            raise OptionError(f"The option '{name}' is not for boxes. Leave it out.")


def _judged(options: ReadOptions, places: Places, truth: Truth, skips: Skips) -> tuple[Detections, Mistakes]:
    """The detections, and what kind of mistake each is; without results there are none."""
    if options.predictions is None:
        none = np.zeros(0, np.int64)
        found = Detections(none, none, np.zeros((0, 4)), np.zeros(0))
    else:
        found = _results(Path(options.predictions), places, skips)
    return found, mistakes(truth, found, matched(truth, found))


def _results(file: Path, places: Places, skips: Skips) -> Detections:
    """What a detector found, of a file of results or of annotations with scores."""
    part = "annotations" if _BEGINS.match(head(file)) else ""
    table = boxes_in(file, part, places, skips, scored=True)
    if not len(table.image):
        raise InputError("None of the results can be used with these images and categories.", path=file)
    found = Detections(*table.columns(), np.frombuffer(table.figure, np.float64))
    _check_scores(found, file)
    return found


def _check_scores(found: Detections, file: Path) -> None:
    outside = (found.score < 0) | (found.score > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"The scores must be probabilities, in [0, 1]. {int(outside.sum())} of {len(found)} are not (first: "
            f"{found.score[row]:g} in place {row}).",
            path=file,
            remedy="These look like logits: put them through the logistic function first.",
        )


def _images(images: Mapping[Id, Mapping[str, Any]], options: ReadOptions, notes: Skips) -> Collection:
    """The images with the paths of their pictures, where these are there."""
    ids = pa.array(list(images), pa.int64()) if all(isinstance(one, int) for one in images) else list(map(str, images))
    columns: dict[str, Any] = {"id": ids}
    if options.media_root is None:
        return Collection(pa.table(columns))
    root = Path(options.media_root)
    media = Media(root)
    paths = []
    for key, one in images.items():
        name = one.get("file_name")
        inside = media.relative(str(name)) if isinstance(name, str) else None
        if inside is None or not (root / inside).is_file():
            reason = "image_without_a_picture" if name is None or inside is not None else "path_outside_folder"
            notes.add(reason, f"image {key}: {name}")
            inside = None
        paths.append(inside)
    if not any(paths):
        raise InputError("None of the pictures is in this folder.", path=root, remedy="Give --images FOLDER.")
    return Collection(pa.table({**columns, "path": pa.array(paths, pa.string())}), root)


def _name(found: Detections, images: Collection, row: int) -> str:
    box = ", ".join(f"{one:g}" for one in found.box[row])
    return f"image {images.ids[int(found.image[row])].as_py()}, box {box}, score {found.score[row]:.2f}"


def _tally(judged: Mistakes) -> dict[str, int]:
    return {f"detections_{kind.name.lower()}": int((judged.kind == kind).sum()) for kind in Kind}


def _labelled(positives: Positives) -> dict[str, int]:
    labelled = 0 if positives.classes is None else int(positives.classes.labelled().sum())
    items = len(positives.items)
    return {"items": items, "labelled": labelled, "unlabelled": items - labelled, "anchors": len(positives.anchors)}


def _scores(positives: Positives) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """Without pictures, vectors whose cosine with what is there is the detector's score: there is nothing else."""
    if positives.items.pictures is not None:
        return None
    score = positives.items.table.column("detector_score").fill_null(1.0).to_numpy()
    return np.stack([score, np.sqrt(1 - np.square(score))], axis=1).astype(np.float32)
