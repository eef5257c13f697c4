"""The detector behind a run: its data read again, what became of each of its mistakes, and what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.detect import Boxes, Detections, Kind, Truth
from hardneg.evaluation import WRONG, Judged, seen
from hardneg.io.found import Scenes, scenes_of
from hardneg.ragged import BoolArray, IntArray
from hardneg.report.boxes import MISSED, BoxGallery, Shots, looks
from hardneg.report.facts import Facts, State
from hardneg.report.reasons import meaning
from hardneg.report.scenery import Scenery

__all__ = ["Behind", "behind", "boxes_of_judged", "boxes_of_run"]

BOXES = 1_900_000  # bytes of a run's page that boxes may take; the gallery of candidates has the rest


@dataclass(frozen=True, eq=False)
class Behind:
    """What a detector found in the data of a run, and what became of it.

    Args:
        scenes: the data.
        judged: its finds.
        state: of each find, a ``State``; -1 where it was no candidate.
        reason: of each find, why; empty for none.
        sampled: the finds that were mined as negatives.
    """

    scenes: Scenes
    judged: Judged
    state: IntArray
    reason: Sequence[str]
    sampled: BoolArray


def behind(facts: Facts) -> Behind | str | None:
    """Read a run's data again; None where its items are no boxes, and why not, in words, where they are not at hand."""
    items = facts.run.items.table
    if not {"box", "image_id", "predicted", "detector_score"} <= set(items.column_names):
        return None
    scenes = scenes_of(facts.run)
    if isinstance(scenes, str):
        return scenes
    judged = seen(scenes, "as mined")
    row = _items_of(judged, scenes, items)
    state, reason = _fates(facts)
    mine = np.where(row >= 0, state[row], -1) if len(state) else row
    words = [reason[one] if one >= 0 else "" for one in row.tolist()]
    return Behind(scenes, judged, mine, words, mine == State.SAMPLED)


def boxes_of_run(facts: Facts, found: Behind | str | None, budget: int = BOXES) -> BoxGallery | None:
    """The boxes to look at: all mistakes where the data are at hand, else those that the run holds."""
    if found is None:
        return None
    if isinstance(found, Behind):
        shots = _shots(found.judged, found.state, found.reason, missed=False)
        scenes = found.scenes
        return looks(shots, scenes.truth, Scenery(scenes.images, scenes.sizes), scenes.categories, budget)
    return _from_items(facts, budget)


def boxes_of_judged(judged: Judged, scenes: Scenes, budget: int) -> BoxGallery | None:
    """The boxes to look at of a detector that was judged, the missed ones too."""
    none = np.full(len(judged.found), -1)
    shots = _shots(judged, none, [""] * len(none), missed=True)
    return looks(shots, scenes.truth, Scenery(scenes.images, scenes.sizes), scenes.categories, budget)


def _shots(judged: Judged, state: IntArray, reason: Sequence[str], *, missed: bool) -> Shots:
    found, kinds, truth = judged.found, judged.mistakes, judged.truth
    rows = np.flatnonzero(np.isin(kinds.kind, WRONG) & (found.area > 0))
    lost = np.flatnonzero(judged.missed & (truth.area > 0)) if missed else np.zeros(0, np.int64)
    of = kinds.truth[rows]
    there = np.where(of >= 0, truth.category[of], -1) if len(truth) else np.full(len(rows), -1)
    # A background may touch a box a little; that says nothing of what is there.
    there = np.where(kinds.kind[rows] == Kind.BACKGROUND, -1, there)
    none = np.full(len(lost), -1)
    boxes = Boxes(
        np.concatenate([found.image[rows], truth.image[lost]]),
        np.concatenate([found.category[rows], truth.category[lost]]),
        np.concatenate([found.box[rows], truth.box[lost]]),
    )
    return Shots(
        boxes,
        np.concatenate([kinds.kind[rows].astype(np.int64), np.full(len(lost), MISSED)]),
        np.concatenate([there, none]),
        np.concatenate([found.score[rows], np.full(len(lost), np.nan)]),
        np.concatenate([kinds.share[rows], np.zeros(len(lost))]),
        np.concatenate([state[rows], none]),
        [*(reason[row] for row in rows.tolist()), *[""] * len(lost)],
    )


def _items_of(judged: Judged, scenes: Scenes, items: pa.Table) -> IntArray:
    """For each find the row of its item, -1 where the run holds none."""
    names = ("image_id", "predicted", "detector_score")
    columns = [items.column(name).to_pylist() for name in names]
    boxes = items.column("box").to_pylist()
    rows = {
        (str(image), predicted, score, tuple(box)): row
        for row, (image, predicted, score, box) in enumerate(zip(*columns, boxes, strict=True))
        if predicted is not None
    }
    ids, found = [str(one) for one in scenes.images.ids.to_pylist()], judged.found
    keys = zip(found.image.tolist(), found.category.tolist(), found.score.tolist(), found.box.tolist(), strict=True)
    return np.array(
        [rows.get((ids[image], scenes.categories[of], score, tuple(box)), -1) for image, of, score, box in keys],
        np.int64,
    )


def _fates(facts: Facts) -> tuple[IntArray, list[str]]:
    """For each item of a run what became of it, the foremost of its candidates, and why; -1 for none."""
    size = len(facts.run.items)
    state, row = np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    order = np.lexsort((facts.state, facts.item))[::-1]  # the foremost state of each item is written last
    state[facts.item[order]], row[facts.item[order]] = facts.state[order], order
    words = [_why(name) for name in facts.reason.names]
    return state, [words[facts.reason.codes[one]] if one >= 0 else "" for one in row.tolist()]


def _why(name: str) -> str:
    return meaning(name).title if name else ""


def _from_items(facts: Facts, budget: int) -> BoxGallery | None:
    """What the run itself holds: the labelled boxes and mistakes that its candidates and relations name."""
    items = facts.run.items.table
    said = {name: items.column(name).to_pylist() for name in ("image_id", "label", "predicted")}
    ids = sorted({str(one) for one in said["image_id"]})
    names = sorted({str(one) for name in ("label", "predicted") for one in said[name] if one is not None})
    rows, codes = ({name: row for row, name in enumerate(some)} for some in (ids, names))
    image = np.array([rows[str(one)] for one in said["image_id"]], np.int64)
    label = np.array([-1 if one is None else codes[str(one)] for one in said["label"]], np.int64)
    taken = np.array([-1 if one is None else codes[str(one)] for one in said["predicted"]], np.int64)
    box = np.array(items.column("box").to_pylist(), np.float64).reshape(-1, 4)
    there, wrong = np.flatnonzero((taken < 0) & (label >= 0)), np.flatnonzero(taken >= 0)
    state, reason = _fates(facts)
    score = items.column("detector_score").fill_null(np.nan).to_numpy()
    kind = np.array([int(_OF_ITEM.get(one, Kind.BACKGROUND)) for one in items.column("mistake").to_pylist()])
    share = items.column("overlap").fill_null(0.0).to_numpy()
    found = Detections(image[wrong], taken[wrong], box[wrong], score[wrong])
    shots = Shots(
        found,
        kind[wrong],
        label[wrong],
        score[wrong],
        share[wrong],
        state[wrong],
        [reason[row] for row in wrong.tolist()],
    )
    images = _images(facts.run.items, ids, said["image_id"])
    truth = Truth(image[there], label[there], box[there])
    return looks(shots, truth, Scenery(images, [None] * len(ids)), names, budget)


_OF_ITEM = {"background": Kind.BACKGROUND, "confusion": Kind.CONFUSION}


def _images(items: Collection, ids: Sequence[str], of: Sequence[Any]) -> Collection:
    columns: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    if "path" in items.table.column_names:
        paths = dict(zip(map(str, of), items.table.column("path").to_pylist(), strict=True))
        columns["path"] = pa.array([paths[one] for one in ids], pa.string())
    return Collection(pa.table(columns), items.root)
