"""What a detector took for the anchor's category where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardneg.sources._taken import Taken

__all__ = ["Detections"]


@dataclass(frozen=True)
class Detections(Taken):
    """The mistakes of a detector that took them for the anchor's category: backgrounds and things of another category.

    The items are those of ``Positives.from_boxes``: ``predicted`` says what each was taken for, ``detector_score`` how
    surely, which ranks them. A background that is in fact a thing without a label is proposed as well: the filters tell
    them apart.

    Args:
        k: at most this many for a category, the highest scores first.
    """

    name: ClassVar[str] = "detections"
    taken: ClassVar[str] = "predicted"
    surely: ClassVar[str] = "detector_score"
    verb: ClassVar[str] = "detected"
    come_from: ClassVar[str] = (
        "They come from Positives.from_boxes, or: hardneg mine boxes.json --predictions found.json"
    )
