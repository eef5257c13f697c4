"""What each detection is, some images at a time: memory holds what is there and what will be items, no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hardneg.detect import Detections, Evidence, Kind, Mistakes, Truth, evidence_of, matched, mistakes
from hardneg.io.readers._results import GROUP, Results
from hardneg.io.readers._scene import Scene
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray

__all__ = ["Judged", "judge"]

# What is no item, and why; a manifest counts each.
_LEFT_OUT = (Kind.UNCOUNTED, Kind.LOCALISATION, Kind.DUPLICATE, Kind.BOTH)
_HELD = 2**18  # negatives held beyond what will be items


@dataclass(frozen=True, eq=False)
class Judged:
    """What the results say, and how many of them are of each kind."""

    said: Evidence
    kinds: Mapping[str, int]


def judge(scene: Scene, truth: Truth, found: Results, second: Results | None, most: int, skips: Skips) -> Judged:
    """Match, name the mistakes, and keep of each category the ``most`` surest negatives; the others are counted."""
    kinds, taken = np.zeros(len(Kind), np.int64), np.zeros(len(scene.categories), np.int64)
    hidden, finder = np.full(len(truth), np.nan), np.full((len(truth), 4), np.nan)
    by_both = None if second is None else hidden.copy()
    lost, held, parts = _Lost(scene), 0, list[Evidence]()
    for group, rows, here in _groups(truth, found):
        boxes = found.of(group)
        named = mistakes(here, boxes, matched(here, boxes))
        said = evidence_of(here, boxes, named, second=None if second is None else second.of(group))
        lost.look(boxes, named, group * GROUP)
        kinds += np.bincount(named.kind, minlength=len(Kind))
        taken += np.bincount(said.wrong.category, minlength=len(taken))
        hidden[rows], finder[rows] = said.hidden, said.finder
        if by_both is not None and said.found_by_both is not None:
            by_both[rows] = said.found_by_both
        parts.append(said.within(group * GROUP, rows))
        held += len(said.wrong)
        if held > most * len(taken) + _HELD:
            parts = [Evidence.joined(parts, hidden, finder, by_both).surest(most)]
            held = len(parts[0].wrong)
    said = Evidence.joined(parts, hidden, finder, by_both).surest(most)
    lost.count(skips)
    _count_beyond(scene, said.wrong, taken, skips)
    return Judged(said, {f"detections_{kind.name.lower()}": int(kinds[kind]) for kind in Kind})


def _groups(truth: Truth, found: Results) -> Iterator[tuple[int, IntArray, Truth]]:
    """Each group in which something was found, with the rows of the boxes there, and these, numbered within it."""
    order = np.argsort(truth.image, kind="stable")
    image = truth.image[order]
    for group in found.groups():
        start, stop = np.searchsorted(image, [group * GROUP, (group + 1) * GROUP])
        rows = np.sort(order[start:stop])
        category, box, crowd, ignored = truth.category[rows], truth.box[rows], truth.crowd[rows], truth.ignored[rows]
        yield group, rows, Truth(truth.image[rows] - group * GROUP, category, box, crowd, ignored)


class _Lost:
    """The detections that are no items, by kind, with the first few by name."""

    def __init__(self, scene: Scene) -> None:
        self._images = scene.images
        self._skips = {kind: Skips() for kind in _LEFT_OUT}

    def look(self, found: Detections, named: Mistakes, first: int) -> None:
        for kind, skips in self._skips.items():
            rows = np.flatnonzero(named.kind == kind)
            skips.add_rows(f"detection_{kind.name.lower()}", rows, lambda row: self._name(found, first, row))

    def count(self, skips: Skips) -> None:
        for some in self._skips.values():
            for one in some.list():
                skips.add_again(one)

    def _name(self, found: Detections, first: int, row: int) -> str:
        box = ", ".join(f"{one:g}" for one in found.box[row])
        image = self._images.ids[first + int(found.image[row])].as_py()
        return f"image {image}, box {box}, score {found.score[row]:.2f}"


def _count_beyond(scene: Scene, kept: Detections, taken: IntArray, skips: Skips) -> None:
    """Count the negatives that are beyond the number that become items, category by category."""
    beyond = taken - np.bincount(kept.category, minlength=len(taken))
    for category in np.flatnonzero(beyond).tolist():
        least = kept.score[kept.category == category].min()
        example = f"{scene.categories[category]}: {beyond[category]:,} with a score of at most {least:.3g}"
        skips.add("detection_beyond_most_mistakes", example, int(beyond[category]))
