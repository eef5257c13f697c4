"""Boxes to look at: what a detector got wrong, drawn where it is, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import Boxes, Kind, Truth
from hardneg.ragged import IntArray, place_within
from hardneg.report.facts import State
from hardneg.report.mistaken import KINDS
from hardneg.report.numbers import number
from hardneg.report.pictures import Thumb
from hardneg.report.scenery import Scenery, View

__all__ = ["MISSED", "BoxGallery", "Look", "Scene", "Shots", "looks"]

MISSED = len(Kind)
"""The kind of a box that nothing found, beside those of finds."""

_LADDER = ((240, 320), (180, 288), (120, 256), (80, 224), (48, 192), (24, 160), (12, 128), (6, 96))
_AROUND_LOOK, _AROUND_SCENE, _A_BOX = 1300, 260, 95  # bytes of markup
_MOST_BOXES = 60  # drawn in one picture
_NOT_MINED = "not mined"
_NAMES = {State.SAMPLED: "negative", State.SUSPECT: "suspect", State.DROPPED: "dropped", State.KEPT: "kept"}


@dataclass(frozen=True, eq=False)
class Shots:
    """What can be looked at, a row each.

    Args:
        boxes: where, and what it was taken for; of a box that was missed, what it is.
        kind: a ``Kind``, or ``MISSED``.
        label: the category that is there, -1 for none.
        score: how sure the detector was; NaN of a missed box.
        share: the overlap with the box that says what kind it is.
        state: what became of it in the run, a ``State``; -1 where it was no candidate.
        reason: why, in words; empty for none.
    """

    boxes: Boxes
    kind: IntArray
    label: IntArray
    score: NDArray[np.float64]
    share: NDArray[np.float64]
    state: IntArray
    reason: Sequence[str]

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Drawn:
    """A box in the pixels of its picture, with what is said of it."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Scene:
    """A picture with what is there, and with the suspects in it."""

    number: int
    image: str
    view: View
    truth: list[Drawn]
    uncounted: list[Drawn]
    suspects: list[Drawn]


@dataclass(frozen=True)
class Look:
    """One box to look at. ``words`` tell what is drawn; ``style`` is that of its line: found, suspect or missed."""

    scene: Scene
    drawn: Drawn
    style: str
    crop: Thumb
    kind: str
    name: str
    category: str
    label: str | None
    score: float | None
    share: float
    state: str
    chip: str
    reason: str
    words: str


@dataclass(frozen=True)
class BoxGallery:
    """The boxes that fit, the surest first, of so many in all; ``bytes`` is how much of the page they take."""

    looks: list[Look]
    scenes: list[Scene]
    total: int
    kinds: list[tuple[str, str]]
    categories: list[str]
    states: list[tuple[str, str]]
    styles: list[tuple[str, str]]
    pictures: bool
    bytes: int

    @property
    def suspects(self) -> bool:
        """Whether any of them is suspect."""
        return any(key == _said(State.SUSPECT) for key, _ in self.states)


def looks(shots: Shots, truth: Truth, scenery: Scenery, names: Sequence[str], budget: int) -> BoxGallery | None:
    """The fullest gallery that fits the budget; None where there is nothing to look at.

    Of each kind, verdict and category the surest come in turn, so that none fills the page alone.
    """
    order = _in_turn(shots)
    if not len(order):
        return None
    boxes = shots.boxes
    most, pixels = _LADDER[-1]
    for most, pixels in _LADDER:
        rows = order[:most]
        scene, part = scenery.about_bytes(boxes.image[rows], boxes.box[rows], pixels)
        images = len(np.unique(boxes.image[rows]))
        if images * (scene + _AROUND_SCENE + 10 * _A_BOX) + len(rows) * (part + _AROUND_LOOK) <= budget:
            break
    made = _Making(shots, truth, scenery, names, pixels)
    kept, used = made.fitting(order[:most], budget)
    kept = kept[np.lexsort((kept, -np.nan_to_num(shots.score[kept], nan=-1.0)))]
    found = [made.look(row) for row in kept.tolist()]
    scenes = sorted({one.scene.number: one.scene for one in found}.values(), key=lambda one: one.number)
    return BoxGallery(
        found, scenes, len(shots),
        _known([(one.kind, one.name) for one in found], [(_key(kind), _name(kind)) for kind in _ORDER]),
        sorted({one.category for one in found}, key=str.casefold),
        _known([(one.state, one.chip) for one in found], [*((_said(s), _NAMES[s]) for s in State), ("", _NOT_MINED)]),
        [one for one in _STYLES if _is_drawn(one[0], found, scenes)],
        any(one.view.thumb.data for one in scenes), used,
    )  # fmt: skip


_ORDER = (Kind.BACKGROUND, Kind.CONFUSION, Kind.LOCALISATION, Kind.BOTH, Kind.DUPLICATE, MISSED)
_STYLES = [
    ("truth", "labelled"),
    ("found", "found here, and wrong"),
    ("suspect", "suspect: may lack its label"),
    ("missed", "labelled, and missed"),
    ("uncounted", "crowd or ignored"),
]


def _said(state: State) -> str:
    return state.name.lower()


def _key(kind: int) -> str:
    return "missed" if kind == MISSED else Kind(kind).name.lower()


def _name(kind: int) -> str:
    return "Missed" if kind == MISSED else KINDS[Kind(kind)][0]


def _known(found: list[tuple[str, str]], order: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that there are, in their order."""
    return [one for one in order if one in set(found)]


def _is_drawn(style: str, found: list[Look], scenes: list[Scene]) -> bool:
    if style in ("found", "missed"):
        return any(one.style == style for one in found)
    return any({"truth": one.truth, "suspect": one.suspects, "uncounted": one.uncounted}[style] for one in scenes)


def _in_turn(shots: Shots) -> IntArray:
    """Rows in the order in which they are taken: the surest of each group, then the second of each, and so on.

    Of missed boxes, which have no score, the largest come first.
    """
    worth = np.where(np.isnan(shots.score), -1 / (1 + shots.boxes.area), shots.score)
    groups = np.stack([shots.kind, shots.state, shots.boxes.category], axis=1)
    _, group = np.unique(groups, axis=0, return_inverse=True)
    group = group.reshape(-1)
    rows = np.arange(len(shots))
    order = np.lexsort((rows, -worth, group))
    place = np.empty(len(order), np.int64)
    place[order] = place_within(group[order])
    # What is missed has no score, so it takes its turn among the surest rather than after all of them.
    missed = np.isnan(shots.score)
    return np.asarray(np.lexsort((rows, -worth, ~missed & (place > 0), place)), np.int64)


class _Making:
    """Makes looks, and scenes once each."""

    def __init__(self, shots: Shots, truth: Truth, scenery: Scenery, names: Sequence[str], pixels: int) -> None:
        self._shots, self._truth, self._scenery, self._names, self._pixels = shots, truth, scenery, names, pixels
        self._scenes: dict[int, Scene] = {}
        self._crops: dict[int, Thumb] = {}
        self._ids = scenery.images.ids

    def fitting(self, rows: IntArray, budget: int) -> tuple[IntArray, int]:
        """The first rows that fit, and the bytes that they take."""
        self._make(rows)
        used, seen, kept = 0, set(), 0
        for row in rows.tolist():
            image = int(self._shots.boxes.image[row])
            more = _AROUND_LOOK + len(self._crops[row].data)
            if image not in seen:
                scene = self._scenes[image]
                drawn = len(scene.truth) + len(scene.uncounted) + len(scene.suspects)
                more += _AROUND_SCENE + len(scene.view.thumb.data) + drawn * _A_BOX
            if used + more > budget and kept:
                break
            used, kept = used + more, kept + 1
            seen.add(image)
        return rows[:kept], used

    def _make(self, rows: IntArray) -> None:
        boxes = self._shots.boxes
        by_image = rows[np.argsort(boxes.image[rows], kind="stable")]  # each picture is opened once
        parts = self._scenery.crops(boxes.image[by_image], boxes.box[by_image])
        self._crops = dict(zip(by_image.tolist(), parts, strict=True))
        images = np.unique(boxes.image[rows])
        reach = np.stack([self._reach(int(one)) for one in images])
        for image, view in zip(images.tolist(), self._scenery.views(images, self._pixels, reach), strict=True):
            self._scenes[image] = self._scene(image, view)

    def _reach(self, image: int) -> NDArray[np.float64]:
        boxes = np.concatenate([one.box[one.image == image] for one in (self._truth, self._shots.boxes)])
        return np.asarray(np.maximum((boxes[:, :2] + boxes[:, 2:]).max(axis=0), 1))

    def _scene(self, image: int, view: View) -> Scene:
        truth, shots = self._truth, self._shots
        there = np.flatnonzero(truth.image == image)
        counted, other = there[~truth.uncounted[there]], there[truth.uncounted[there]]
        suspects = np.flatnonzero((shots.boxes.image == image) & (shots.state == State.SUSPECT))
        name = str(self._ids[image].as_py())[:120]
        return Scene(
            image, name, view, self._all_drawn(truth, counted), self._all_drawn(truth, other),
            self._all_drawn(shots.boxes, suspects),
        )  # fmt: skip

    def _all_drawn(self, boxes: Boxes, rows: IntArray) -> list[Drawn]:
        return [self._drawn(boxes, row) for row in rows[:_MOST_BOXES].tolist()]

    def _drawn(self, boxes: Boxes, row: int) -> Drawn:
        x, y, width, height = (round(float(one), 1) for one in boxes.box[row])
        return Drawn(x, y, width, height, self._names[int(boxes.category[row])][:80])

    def look(self, row: int) -> Look:
        """What is shown of one row."""
        shots = self._shots
        kind, state = int(shots.kind[row]), int(shots.state[row])
        style = "missed" if kind == MISSED else "suspect" if state == State.SUSPECT else "found"
        category = self._names[int(shots.boxes.category[row])][:80]
        label = None if shots.label[row] < 0 else self._names[int(shots.label[row])][:80]
        score = None if np.isnan(shots.score[row]) else float(shots.score[row])
        scene = self._scenes[int(shots.boxes.image[row])]
        what = f"{category}, missed" if score is None else f"{category} found with score {number(score)}"
        drawn = len(scene.truth)
        words = f"{scene.image}: {what}, and {drawn} labelled {'box' if drawn == 1 else 'boxes'}"
        return Look(
            scene, self._drawn(shots.boxes, row), style, self._crops[row], _key(kind), _name(kind), category, label,
            score, float(shots.share[row]), "" if state < 0 else _said(State(state)),
            _NOT_MINED if state < 0 else _NAMES[State(state)], shots.reason[row], words,
        )  # fmt: skip
