"""The small detector of windows as a training of one's own for ``hardneg impact``.

    hardneg impact RUN --train benchmarks/detection/training.py:train

Of a run of BCCD's cells: windows on the labelled cells, ten random windows of background a picture, and the negatives
of an arm, as in :mod:`benchmarks.detection.second_round`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.detection.second_round import RANDOM, as_background, empty_windows, trained, windows_on
from benchmarks.detection.windows import all_windows, features, scene_of, seen
from hardneg.detect import Truth
from hardneg.impact.boxes import BoxLesson

__all__ = ["train"]


def train(lesson: BoxLesson, seed: int) -> Callable[[Sequence[Any]], list[dict[str, Any]]]:
    """Train on a lesson; what comes back finds cells in pictures."""
    scenes = [seen(one.path) for one in lesson.pictures]
    count = [len(one.boxes) for one in lesson.pictures]
    labels = Truth(
        np.repeat(np.arange(len(count)), count),
        np.concatenate([one.labels for one in lesson.pictures]),
        np.concatenate([one.boxes for one in lesson.pictures]),
    )
    mined = np.repeat(np.arange(len(count)), [len(one.negatives) for one in lesson.pictures])
    taught = (mined, np.zeros(len(mined), np.int64), np.concatenate([one.negatives for one in lesson.pictures]))
    rows = [
        windows_on(labels, seed),
        as_background(empty_windows(scenes, labels, RANDOM, seed)),
        as_background(taught),
    ]
    model = trained(scenes, rows, len(lesson.categories), seed)

    def detect(pictures: Sequence[Any]) -> list[dict[str, Any]]:
        out = []
        for picture in pictures:
            places = all_windows(*picture.size)
            category, box, score = model.found(places, features(scene_of(picture), places))
            ends = np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1)
            names = [lesson.categories[one] for one in category.tolist()]
            out.append({"boxes": ends, "scores": score, "labels": names})
        return out

    return detect
