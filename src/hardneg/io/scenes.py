"""A data set of boxes, opened: its images, its categories, and what is there, without a detector."""

from __future__ import annotations

from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers import ReadOptions, coco, voc, yolo
from hardneg.io.readers._base import Format
from hardneg.io.readers._scene import Open, Scene
from hardneg.io.reading import Skips

__all__ = ["scene_of"]

_KINDS: tuple[tuple[Format, Open], ...] = (
    (coco.COCO, coco.open_scene), (yolo.YOLO, yolo.open_scene), (voc.VOC, voc.open_scene),
)  # fmt: skip


def scene_of(path: Path, options: ReadOptions, skips: Skips, notes: Skips) -> Scene:
    """Open a COCO file, a YOLO folder or its data.yaml, or a Pascal VOC folder.

    What is left out is counted in ``skips``, what is odd in ``notes``. Raises InputError for what is none of these.
    """
    if not path.exists():
        raise InputError("There is no such file or folder.", path=path)
    for kind, opened in _KINDS:
        if kind.sniff(path, options):
            return opened(path, options, skips, notes)
    looked_for = "; ".join(kind.looks_for for kind, _ in _KINDS)
    raise InputError(f"This is no data set of boxes. Looked for: {looked_for}.", path=path)
