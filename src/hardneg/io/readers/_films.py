"""Items of films, with a detector's results on disk: the frames around an item may be in another group of images."""

from __future__ import annotations

import numpy as np

from hardneg.collection import Collection
from hardneg.detect import Boxes, Linked, Truth, linked, with_frames_around
from hardneg.io.readers._results import GROUP, Results
from hardneg.io.readers._scene import Scene

__all__ = ["with_films"]


def with_films(items: Collection, scene: Scene, truth: Truth, found: Results) -> Collection:
    """The items with what the frames around them say, where images are frames."""
    groups = set(found.groups())

    def find(boxes: Boxes) -> Linked:
        score, box = np.zeros(len(boxes)), boxes.box.copy()
        for group in sorted(groups & set((boxes.image // GROUP).tolist())):
            rows = np.flatnonzero(boxes.image // GROUP == group)
            some = Boxes(boxes.image[rows] - group * GROUP, boxes.category[rows], boxes.box[rows])
            goes_on = linked(some, found.of(group))
            score[rows], box[rows] = goes_on.score, goes_on.box
        return Linked(score, box)

    return with_frames_around(items, scene.images, scene.categories, truth, find)
