"""A detector's results in any form: which form it is, and the boxes in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from hardneg.errors import InputError
from hardneg.io.readers import _coco_files, _voc_files, _yolo_files
from hardneg.io.readers._box_rows import Box, Places
from hardneg.io.readers._yolo_layout import files_in

__all__ = ["found_in"]


def found_in(place: Path, places: Places) -> tuple[Iterable[Box], Sequence[Path]]:
    """The boxes of a detector, and the files that they are in: COCO's results, or a folder of YOLO's or VOC's.

    Raises InputError for what is none of these.
    """
    if not place.exists():
        raise InputError("There is no such file or folder.", path=place)
    if place.is_file():
        return _in_file(place)
    names = [name for name in files_in(place) if name.endswith(".txt")]
    if not names:
        raise InputError(
            "There is no text file with results in this folder.",
            path=place,
            remedy="Predict with save_txt=True save_conf=True (Ultralytics), or give a file of COCO results.",
        )
    files = [place / name for name in names]
    if all(_voc_files.class_of(PurePosixPath(name).name) for name in names):
        return _voc_files.results(files), files
    return _yolo_files.results(place, names, places), files


def _in_file(file: Path) -> tuple[Iterable[Box], Sequence[Path]]:
    if _voc_files.class_of(file.name):
        return _voc_files.results([file]), [file]
    if file.name.endswith((".json", ".json.gz")):
        return _coco_files.results(file), [file]
    raise InputError(
        "These are no results that can be read.",
        path=file,
        remedy="Give COCO results (.json), VOC's comp4_det_SET_CLASS.txt, or a folder of text files as YOLO's.",
    )
