"""The box around a mask: what is used where results or labels have a segmentation and no box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardneg.errors import MissingExtraError

__all__ = ["MASK", "box_around", "with_box"]

MASK = "box_of_a_mask"  # how such boxes are noted


def box_around(segmentation: object) -> list[float] | None:
    """Left, top, width and height of COCO's polygons or run-length encoding; None for what is neither.

    Raises MissingExtraError without hotcoco, which decodes the latter.

    >>> box_around([[10, 10, 30, 10, 30, 25]])
    [10.0, 10.0, 20.0, 15.0]
    >>> box_around({"size": [3, 4], "counts": [3, 2, 1, 1, 5]})
    [1.0, 0.0, 2.0, 2.0]
    >>> box_around("nothing") is None
    True
    """
    if isinstance(segmentation, list):
        return _of_polygons(segmentation)
    return _of_runs(segmentation) if isinstance(segmentation, Mapping) else None


def with_box(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record of COCO's; of one that has a mask and no box, with the box around it.

    >>> with_box({"id": 1, "segmentation": [[0, 0, 4, 0, 4, 2]]})["bbox"]
    [0.0, 0.0, 4.0, 2.0]
    """
    box, mask = one.get("bbox"), one.get("segmentation")
    return one if box is not None or not mask else {**one, "bbox": box_around(mask)}


def _of_polygons(polygons: list[Any]) -> list[float] | None:
    try:
        x = [float(one) for polygon in polygons for one in polygon[0::2]]
        y = [float(one) for polygon in polygons for one in polygon[1::2]]
    except (TypeError, ValueError):
        return None
    if not x or len(x) != len(y):
        return None
    return [min(x), min(y), max(x) - min(x), max(y) - min(y)]


def _of_runs(runs: Mapping[str, Any]) -> list[float] | None:
    try:
        from hotcoco import mask
    except ModuleNotFoundError:
        raise MissingExtraError("hotcoco", extra="detection") from None
    try:
        return [float(one) for one in mask.to_bbox(dict(runs))]
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
