"""Small worlds in which mining helps, hurts or makes no difference."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.impact.arms import Arm, drawn_like
from hardneg.impact.making import task_of
from hardneg.impact.task import Kind, Task
from hardneg.positives import Positives
from hardneg.ragged import Ragged


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def retrieval(seed: int = 0, queries: int = 240, documents: int = 600) -> Task:
    """What a document is about stands in its first numbers; loud but meaningless ones follow.

    A query shares with its document what it is about, and noise with others: these are hard negatives that teach a
    linear layer to pass the noise over.
    """
    rng = np.random.default_rng(seed)
    about, loud = rng.normal(size=(documents, 8)), 2.5 * rng.normal(size=(documents, 8))
    own = rng.permutation(documents)[:queries]
    other = rng.integers(0, documents, queries)
    left = np.concatenate([about[own] + 0.3 * rng.normal(size=(queries, 8)), loud[other]], axis=1)
    right = np.concatenate([about, loud], axis=1)
    ids = [f"d{row}" for row in range(documents)]
    items = Collection.of(ids, texts=[f"document {row}" for row in range(documents)])
    anchors = Collection.of([f"q{row}" for row in range(queries)], texts=[f"query {row}" for row in range(queries)])
    made = Positives.from_pairs(anchors.ids, [ids[row] for row in own], anchors=anchors, items=items)
    return task_of(made, Vectors(unit(left), unit(right)), seed=seed)


def nearest(task: Task, k: int = 8) -> Arm:
    """The nearest non-positives of each training anchor."""
    assert task.vectors is not None
    scores = np.asarray(task.vectors.anchors[:]) @ np.asarray(task.vectors.items[:]).T
    lists = []
    for row in range(len(scores)):
        line = scores[row].copy()
        line[task.positives.positive[row]] = -np.inf
        lists.append(np.argsort(-line, kind="stable")[:k])
    found = task.restricted(Ragged.from_lists(lists))
    return Arm("run", "the nearest", lambda seed: found)


def own_positives(task: Task, k: int = 8) -> Arm:
    """Negatives that are positives in truth: each anchor's own, ``k`` times."""
    own = task.positives.positive
    found = task.restricted(Ragged.from_lists([np.repeat(own[row], k) for row in range(len(own))]))
    return Arm("run", "false negatives", lambda seed: found)


def random_like(task: Task, like: Arm) -> Arm:
    return Arm("random", "random negatives", lambda seed: drawn_like(task, like.lists(seed), seed))


def labelled(seed: int = 0, kind: Kind = "classification", classes: int = 5, each: int = 30) -> Task:
    """Items around the middle of their class, with texts; a group of three each."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(classes), each)
    vectors = rng.normal(size=(classes, 12))[of] + 1.2 * rng.normal(size=(len(of), 12))
    table = pa.table(
        {
            "id": [f"i{row}" for row in range(len(of))],
            "text": [f"text number {row}" for row in range(len(of))],
            "label": [f"class {one}" for one in of],
            "group": [f"g{row // 3}" for row in range(len(of))],
        }
    )
    made = Positives.from_labels(Collection(table))
    return task_of(made, Vectors.of_items(unit(vectors), made), kind=kind, seed=seed)
