"""How many images of an export or a run are without boxes, and in how many of these negatives were mined."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.writers.coco import count_images
from hardneg.run import Run

__all__ = ["image_counts"]


def image_counts(path: str | Path) -> Mapping[str, int]:
    """The figures that an export's manifest holds; those of a run are counted.

    Raises InputError for what is neither, or holds no boxes.
    """
    path = Path(path)
    file = path / "manifest.json" if path.is_dir() else path.with_name(f"{path.name}.manifest.json")
    if not file.is_file():
        raise InputError("This is neither a run nor an export: it has no manifest.", path=path)
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        counts = manifest["export"]["counts"] if "export" in manifest else None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"It is damaged ({error}).", path=file, remedy="Export again.") from None
    if counts is None:
        return count_images(Run.open(path))
    if "images_without_boxes" not in counts:
        raise InputError("This export holds no images with boxes.", path=path, remedy="Export as coco, yolo or voc.")
    return {name: int(number) for name, number in counts.items()}
