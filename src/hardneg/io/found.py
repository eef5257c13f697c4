"""Boxes in pictures, read to be judged and looked at: what is there, and what one or two detectors found.

Nothing is mined here, so a split for evaluation is as good as any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hardneg.collection import Collection
from hardneg.detect import Detections, Truth
from hardneg.errors import HardnegError, InputError, MissingExtraError
from hardneg.io.readers import FORMATS, coco, voc, yolo
from hardneg.io.readers._assemble import named_files
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._box_rows import gather
from hardneg.io.readers._boxes import Open, found_by
from hardneg.io.reading import Skip, Skips
from hardneg.io.run_data import data_of, split_of
from hardneg.run import Run
from hardneg.storage import digest

__all__ = ["Scenes", "read_scenes", "scenes_of"]

_OPEN: dict[str, Open] = {"coco": coco.open_scene, "voc": voc.open_scene, "yolo": yolo.open_scene}


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


def read_scenes(path: Path, results: Sequence[Path], *, kind: str | None = None, options: ReadOptions) -> Scenes:
    """Read a data set of boxes and the results of detectors for it.

    Args:
        path: a COCO file, a YOLO folder or its data.yaml, a Pascal VOC folder.
        results: of each detector, in any of these forms.
        kind: the name of the format; seen from the content if not given.
        options: the split, the folder of pictures, and from which score on results are read.

    Raises InputError for what holds no boxes, and as for any data of boxes.
    """
    if not path.exists():
        raise InputError("There is no such file or folder.", path=path)
    name = kind or next((one.name for one in FORMATS.values() if one.sniff(path, options)), "")
    if name not in _OPEN:
        raise InputError(
            f"These are no boxes in pictures{f' but {name}' if name else ''}.",
            path=path,
            remedy=f"Give a COCO file, a YOLO folder or data.yaml, or a VOC folder ({', '.join(_OPEN)}).",
        )
    skips, notes = Skips(), Skips()
    scene = _OPEN[name](path, replace(options, mine_evaluation=True), skips, notes)
    truth = gather(scene.truth, scene.places, skips, notes, scored=False).truth()
    found, files = [], list(scene.files)
    for one in results:
        detections, read = found_by(scene, one, options.least_score, skips, notes)
        found.append(detections)
        files += read
    return Scenes(
        scene.format, scene.images, scene.places.sizes, scene.categories, truth, tuple(found),
        skips.list(), notes.list(), named_files(files),
    )  # fmt: skip


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
        found = read_scenes(
            data["path"], [data["predictions"]], kind=_kind(data, run), options=replace(split_of(data), **_told(data))
        )
    except MissingExtraError as error:
        return f"they cannot be read ({error})"
    except HardnegError:  # its message names where the data lie, and a page must not
        return f"'{Path(data['path']).name}' or the results cannot be read any more"
    mined: Mapping[str, str] = run.manifest.get("data", {}).get("files", {})
    changed = [name for name, file in found.files.items() if name in mined and mined[name] != digest(file)]
    return f"'{changed[0]}' has changed since the mining" if changed else found


def _kind(data: Mapping[str, Any], run: Run) -> str:
    said = str(data.get("format") or run.manifest.get("data", {}).get("format", ""))
    return said.partition(",")[0]  # what follows is the split


def _told(data: Mapping[str, Any]) -> dict[str, Any]:
    root = data.get("media_root")
    there = root is not None and Path(root).is_dir()
    return {"predictions": data["predictions"], "least_score": data.get("least_score", 0.0)} | (
        {"media_root": root} if there else {}
    )
