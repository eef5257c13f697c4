"""A detector of the user's, trained anew for each arm and seed, and asked about held-out pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.detect import Answer, Detections
from hardneg.detecting import Detector
from hardneg.detecting.naming import Label, Naming, unknown_told
from hardneg.errors import HardnegError, InputError
from hardneg.images import BrokenImage, rgb
from hardneg.impact.boxes.lesson import BoxLesson

__all__ = ["BoxTrainer"]

_TOGETHER = 8  # pictures that a detector is asked about at once


@dataclass(frozen=True)
class BoxTrainer:
    """Calls ``function(lesson, seed)`` with a :class:`BoxLesson`; it trains anew and returns a detector.

    That is called as by ``hardneg detect``: with a list of upright PIL images in RGB, and returns one result a picture
    in any form that :class:`hardneg.detecting.Detector` reads, or it is a ``torch.nn.Module``. Labels are names of
    categories, or places in ``lesson.categories`` from 0 (in torchvision's dicts from 1, as 0 is the background there).

    Args:
        target: what the function is called.
        call: the function itself.
    """

    target: str
    call: Any

    def train(self, lesson: BoxLesson) -> Detector:
        """Call it; an error of its own says whose it is.

        Raises InputError where it fails or returns no detector.
        """
        try:
            made = self.call(lesson, lesson.seed)
        except (HardnegError, MemoryError):
            raise
        except Exception as error:
            raise InputError(f"'{self.target}' failed in training ({type(error).__name__}: {error}).") from error
        if not callable(made):
            raise InputError(
                f"'{self.target}' must return a detector, a function of pictures. Got {type(made).__name__}."
            )
        return Detector(self.target, call=made, batch_size=_TOGETHER)


def found_in(detector: Detector, pictures: Sequence[Path], categories: Sequence[str]) -> Detections:
    """What a detector finds in pictures, numbered in their order.

    Raises InputError for a picture that is broken, and for labels of which not one is a category.
    """
    naming = Naming(tuple(categories), ids=False)
    place = {name: number for number, name in enumerate(categories)}
    parts, unknown, known = [], set(), False
    for start in range(0, len(pictures), _TOGETHER):
        some = pictures[start : start + _TOGETHER]
        for number, answer in enumerate(detector.answers([_opened(one) for one in some], [one.name for one in some])):
            labels = _labels(answer)
            category = np.array([place.get(str(naming.of(one)), -1) for one in labels], np.int64)
            unknown |= {one for one, code in zip(labels, category.tolist(), strict=True) if code < 0}
            box = answer.box
            whole = np.isfinite(box).all(axis=1) & (box[:, 2:] >= 0).all(axis=1)
            use = whole & (category >= 0) & np.isfinite(answer.score)
            known = known or bool(use.any())
            parts.append((np.full(int(use.sum()), start + number), category[use], box[use], answer.score[use]))
    if unknown and not known:
        raise unknown_told(unknown, categories)
    if not parts:
        return Detections(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0))
    return Detections(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def _labels(answer: Answer) -> list[Label]:
    count = len(answer)
    numbers = [None if one < 0 else one for one in ([-1] * count if answer.label is None else answer.label.tolist())]
    names = [None] * count if answer.name is None else list(answer.name)
    return [Label(answer.form, number, name) for number, name in zip(numbers, names, strict=True)]


def _opened(path: Path) -> Any:
    try:
        return rgb(path)
    except BrokenImage as error:
        raise InputError(f"A held-out picture is broken ({error.reason}).", path=path) from error
