"""The arms for a detector: the mined boxes, the surest false positives, random windows of background, none.

What a mining doubts is a part of what it gives: an export has its suspects as areas to ignore, and so has its arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg import random
from hardneg.detect import Boxes, Truth, overlap
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run
from hardneg.weights import suspects

__all__ = ["BoxArm", "dosed", "doubted_boxes", "mined_boxes", "naive_boxes", "no_boxes", "random_windows"]

_DRAW, _DOSE = 0xB0C5, 0xD05E  # keep these draws apart from all others
_TRIES, _FREE = 50, 0.3  # windows that are looked at; the overlap with a labelled box from which one is no background


def no_boxes() -> Boxes:
    """Nothing beyond what training meets by itself."""
    return Boxes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)))


@dataclass(frozen=True, eq=False)
class BoxArm:
    """A set of negatives by name, in the pictures to train with.

    Args:
        name: as in tables.
        words: what it is.
        boxes: the negatives of a seed; random ones alone look at it.
        doubted: where nothing is to be learnt, since there may be an unlabelled thing.
    """

    name: str
    words: str
    boxes: Callable[[int], Boxes]
    doubted: Boxes = field(default_factory=no_boxes)


def mined_boxes(run: Run, images: Mapping[str, int], categories: Sequence[str]) -> Boxes:
    """What a run has sampled, in these pictures (by the text of their ids), and is a suspect for no category."""
    pairs = run.negatives
    sure = ~suspects(run)[run.items.positions(pairs.column("item"))]
    return _boxes_of(run, pairs.filter(pa.array(sure)), images, categories)[0]


def doubted_boxes(run: Run, images: Mapping[str, int], categories: Sequence[str]) -> Boxes:
    """The suspects of a run in these pictures: detections that may be unlabelled things, once for each category."""
    verdicts = [part.filter(pc.equal(part.column("verdict").cast(pa.string()), "suspect")) for part in run.parts()]
    return _boxes_of(run, pa.concat_tables(verdicts), images, categories)[0]


def naive_boxes(run: Run, images: Mapping[str, int], categories: Sequence[str]) -> Boxes:
    """The surest false positives of a run, whatever its filters say: of each category as many as the run has."""
    mined = mined_boxes(run, images, categories)
    wanted = np.bincount(mined.category, minlength=len(categories))
    every, score = _boxes_of(run, pa.concat_tables(run.parts()), images, categories)
    rows = []
    for category, count in enumerate(wanted.tolist()):
        some = np.flatnonzero(every.category == category)
        rows.append(some[np.argsort(-score[some], kind="stable")][:count])
    taken = np.concatenate([np.zeros(0, np.int64), *rows])
    return every.take(taken)


def random_windows(like: Boxes, truth: Truth, sizes: IntArray, seed: int) -> Boxes:
    """For each box a window as large, drawn in any picture where it overlaps no labelled box by 0.3; by counter.

    Args:
        like: the boxes, whose categories are kept.
        truth: what is labelled in the pictures, crowds and ignored boxes too.
        sizes: width and height of each picture, shape ``(pictures, 2)``.
        seed: draws them.

    A window that fits nowhere in fifty tries is left out. One that is larger than a picture is as large as that.
    """
    windows, kept = _windows(like, truth, sizes, seed)
    return windows.take(np.flatnonzero(kept))


def dosed(mined: BoxArm, truth: Truth, sizes: IntArray, share: float, seed: int) -> BoxArm:
    """A mining of which all but a share gives way to :func:`random_windows`; of what it doubts that share is ignored.

    The rows that stay are drawn by counter, and so are the same whatever else is drawn; more of them with more share.
    """
    boxes = mined.boxes(seed)
    windows, fits = _windows(boxes, truth, sizes, seed)
    stays, doubted = (
        random.uniform(seed, np.array(_DOSE), np.arange(len(one))) < share for one in (boxes, mined.doubted)
    )
    stay, fresh = boxes.take(np.flatnonzero(stays)), windows.take(np.flatnonzero(~stays & fits))
    both = Boxes(
        *(np.concatenate([getattr(one, name) for one in (stay, fresh)]) for name in ("image", "category", "box"))
    )
    return BoxArm(f"{share:.0%} mined", "", lambda seed: both, mined.doubted.take(np.flatnonzero(doubted)))  # noqa: ARG005 - of one seed


def _windows(like: Boxes, truth: Truth, sizes: IntArray, seed: int) -> tuple[Boxes, NDArray[np.bool_]]:
    """A window for each box, and whether it was found to fit."""
    there = Ragged.from_codes(truth.image).inverted(len(sizes))
    image, box, kept = np.zeros(len(like), np.int64), np.zeros((len(like), 4)), np.zeros(len(like), bool)
    for row in range(len(like)):
        chance = random.uniform(seed, np.array(_DRAW), np.array(row), np.arange(3 * _TRIES)).reshape(_TRIES, 3)
        drawn = (chance[:, 0] * len(sizes)).astype(np.int64)
        size = np.minimum(like.box[row, 2:], sizes[drawn])
        windows = np.concatenate([chance[:, 1:] * (sizes[drawn] - size), size], axis=1)
        for number, window in zip(drawn.tolist(), windows, strict=True):
            if _free(window, truth.box[there[number]]):
                image[row], box[row], kept[row] = number, window, True
                break
    return Boxes(image, like.category, box), kept


def _free(window: NDArray[np.float64], there: NDArray[np.float64]) -> bool:
    return not len(there) or bool((overlap(np.broadcast_to(window, there.shape), there) < _FREE).all())


def _boxes_of(
    run: Run, pairs: pa.Table, images: Mapping[str, int], categories: Sequence[str]
) -> tuple[Boxes, NDArray[np.float64]]:
    """The boxes of pairs of a run, with the detector's scores; those in other pictures are left out."""
    items = run.items.table.take(pa.array(run.items.positions(pairs.column("item"))))
    place = {name: number for number, name in enumerate(categories)}
    image = np.array([images.get(str(one), -1) for one in items.column("image_id").to_pylist()], np.int64)
    category = np.array([place.get(one, -1) for one in pairs.column("anchor").to_pylist()], np.int64)
    box = np.array(items.column("box").to_pylist(), np.float64).reshape(-1, 4)
    score = items.column("detector_score").fill_null(np.nan).to_numpy().astype(np.float64)
    labelled = items.column("predicted").is_null().to_numpy(zero_copy_only=False)
    known = (image >= 0) & (category >= 0) & ~labelled
    return Boxes(image[known], category[known], box[known]), score[known]
