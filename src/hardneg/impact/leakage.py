"""Does anything held out show up in training? The same id, the same content, a near-copy, the same identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from hardneg.collection import Collection
from hardneg.filters.duplicates import fingerprints
from hardneg.impact.task import Task
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["COPY", "Leak", "leaks_in_turn", "leaks_of"]

COPY = 0.97  # the cosine of the filter ``duplicates``
_BLOCK, _EXAMPLES = 512, 5


@dataclass(frozen=True)
class Leak:
    """How many held-out things are in training too, in which way, with some of their ids."""

    what: str
    count: int
    of: int
    examples: tuple[str, ...]

    def about(self) -> dict[str, Any]:
        """The same as JSON."""
        return {**asdict(self), "examples": list(self.examples)}


def leaks_of(task: Task) -> list[Leak]:
    """Check the test rows against the training rows. An empty list is good news.

    Near-copies are looked for with the task's own vectors, at a cosine of 0.97; two different things may be as near in
    a weak model.
    """
    train, test = task.parts.train, task.parts.test
    things = task.positives.anchors if task.kind == "retrieval" else task.positives.items
    said = fingerprints(things)
    out = [
        _leak("same row", np.isin(test, train), test, things),
        _leak("same content", _has_content(things) & np.isin(said[test], said[train]), test, things),
    ]
    if task.kind == "verification":
        out.append(_leak("same identity", np.isin(task.codes[test], task.codes[train]), test, things))
    if task.kind == "retrieval":
        shared = np.zeros(len(task.positives.items), bool)
        shared[task.positives.positive.take(train).values] = True
        of = task.positives.positive.take(test)
        out.append(
            _leak("shares a positive", np.bincount(of.rows()[shared[of.values]], minlength=len(test)) > 0, test, things)
        )
    if task.vectors is not None:
        every = task.vectors.anchors if task.kind == "retrieval" else task.vectors.items
        out.append(_leak("near-copy", _near(np.asarray(every[test]), np.asarray(every[train])), test, things))
    return [one for one in out if one.count]


def leaks_in_turn(tasks: Sequence[Task]) -> list[Leak]:
    """The same of every division of the data, added up."""
    found: dict[str, Leak] = {}
    for task in tasks:
        for one in leaks_of(task):
            old = found.get(one.what, Leak(one.what, 0, 0, ()))
            examples = (*old.examples, *one.examples)[:_EXAMPLES]
            found[one.what] = Leak(one.what, old.count + one.count, 0, examples)
    of = sum(len(task.parts.test) for task in tasks)
    return [replace(one, of=of) for one in found.values()]


def _leak(what: str, which: Any, test: IntArray, things: Collection) -> Leak:
    ids = [str(things.ids[int(row)].as_py()) for row in test[which][:_EXAMPLES]]
    return Leak(what, int(which.sum()), len(test), tuple(ids))


def _has_content(things: Collection) -> bool:
    return bool({"text", "content"} & set(things.table.column_names))


def _near(left: FloatArray, right: FloatArray) -> Any:
    left, right = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-12) for one in (left, right))
    blocks = [(left[at : at + _BLOCK] @ right.T).max(axis=1) for at in range(0, len(left), _BLOCK)]
    return np.concatenate(blocks) >= COPY
