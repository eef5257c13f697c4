"""What a learner gets: one arm's negatives for one seed, and the same order of examples as all other arms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg import random
from hardneg.collection import Collection
from hardneg.impact.task import Task
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.weights import quantiles, rising

__all__ = ["Budget", "Lesson", "Scorer", "Step"]

# Scores of each of the left (anchors; items of a classifier or a verifier) with each of the right (items; classes).
Scorer = Callable[[IntArray, IntArray], FloatArray]

_EPOCHS, _LEAST, _MOST = 10, 100, 300
_EPOCH, _POSITIVE, _NEGATIVE, _DRAW = 1, 2, 3, 4


@dataclass(frozen=True)
class Budget:
    """What every arm may spend: the same steps, on as many examples, in the same order for the same seed.

    Args:
        steps: how many batches; ten times through the anchors if not given, but 100 to 300 batches (300 of a
            classifier).
        batch: anchors in a batch, each with a positive; examples, of a classifier.
        negatives: how many of its negatives an anchor brings each time. Without mining it brings none, and has those
            of the batch alone.
    """

    steps: int | None = None
    batch: int = 64
    negatives: int = 4

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "negatives"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, "a whole number above 0", value)

    def settled(self, task: Task) -> Budget:
        """The same with the number of steps filled in."""
        if self.steps is not None:
            return self
        usual = int(np.ceil(_EPOCHS * len(task.parts.train) / self.batch))
        return replace(self, steps=_MOST if task.kind == "classification" else min(_MOST, max(_LEAST, usual)))

    @property
    def total(self) -> int:
        """The number of steps, once it is settled."""
        return _MOST if self.steps is None else self.steps

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """After how many steps a model is looked at while it learns: at the end, at half of it and so on.

        >>> Budget(steps=160).checkpoints
        (2, 5, 10, 20, 40, 60, 80, 120, 160)
        """
        halves = {self.total >> one for one in range(7)}
        return tuple(sorted((halves | {3 * self.total // 8, 3 * self.total // 4}) - {0}))


@dataclass(frozen=True, eq=False)
class Step:
    """A batch: anchors and positives ``(b,)``, negatives ``(b, n)``, and which positives are no negatives ``(b, b)``.

    The rows of anchors are those of ``positives.anchors`` in retrieval, else of items.
    """

    anchors: IntArray
    positives: IntArray
    negatives: IntArray
    hidden: BoolArray


@dataclass(frozen=True, eq=False)
class Lesson:
    """One arm's lesson for one seed.

    Args:
        task: what is learnt.
        negatives: for each anchor its negatives, all of them trainable; at least one for each that is trained with,
            or none for any (see :func:`hardneg.impact.arms.filled`).
        budget: what may be spent.
        seed: draws the order of the examples and which negatives come along.
        doubted: items that do not count as hard, as in :class:`Arm`.
        share: how much of a classifier's examples are drawn by hardness; the others evenly.
        looked: what looks at a model while it learns; None where nobody does.
    """

    task: Task
    negatives: Ragged
    budget: Budget
    seed: int
    doubted: BoolArray | None = None
    share: float = 1.0
    looked: Callable[[int, Any], None] | None = None

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """After how many steps to :meth:`show` the model."""
        return self.budget.checkpoints if self.looked is not None else ()

    def show(self, step: int, scorer: Any) -> None:
        """Show the model as it is after so many steps, for the learning curve; of other steps nothing is kept.

        Args:
            step: how many are done, from 1 on.
            scorer: the model, as training returns it.
        """
        if self.looked is not None and step in self.checkpoints:
            self.looked(step, scorer)

    def steps(self) -> Iterator[Step]:
        """The batches of contrastive training. Same seed, same anchors and positives, whatever the negatives."""
        anchors, friends = self._anchored
        for number, rows in enumerate(self._orders(len(anchors))):
            mine, count = anchors[rows], friends.lengths()[rows]
            at = (
                random.uniform(self.seed, np.array(_POSITIVE), np.array(number), np.arange(len(rows))) * count
            ).astype(int)
            positive = friends.values[friends.offsets[rows] + at]
            yield Step(mine, positive, self._negatives(mine, number), self._hidden(mine, positive))

    def draws(self) -> Iterator[IntArray]:
        """The batches of a classifier, as rows of items: drawn by their weights, at the same numbers for all arms."""
        rows = self.task.parts.train
        edges = np.cumsum(self.weights[rows])
        size = min(self.budget.batch * 4, 4 * len(rows))
        for number in range(self.budget.total):
            at = random.uniform(self.seed, np.array(_DRAW), np.array(number), np.arange(size)) * edges[-1]
            yield rows[np.minimum(np.searchsorted(edges, at, side="right"), len(rows) - 1)]

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """How much each item counts for a classifier, shape ``(items,)``, mean 1 over the training rows.

        That of :func:`hardneg.sample_weight`, with this arm's negatives; ``share`` of it, and the rest is 1.
        """
        items = self.negatives.values
        vectors = self.task.vectors
        scores = np.zeros(len(items)) if vectors is None else vectors.pairs(self.negatives.rows(), items)
        hardness = np.bincount(items, quantiles(np.asarray(scores)), len(self.task.codes)).astype(np.float64)
        raw = rising(hardness if self.doubted is None else np.where(self.doubted, 0.0, hardness))
        return np.asarray(1 - self.share + self.share * raw / raw[self.task.parts.train].mean())

    @cached_property
    def _anchored(self) -> tuple[IntArray, Ragged]:
        """The rows that are trained with as anchors, and the positives of each."""
        task, rows = self.task, self.task.parts.train
        if task.kind == "retrieval":
            lists = task.positives.positive.take(rows)
            lists = lists.where(task.trainable[lists.values])
        else:
            members = Ragged.from_pairs(task.codes[rows], rows, len(task.names))
            lists = members.take(task.codes[rows])
            lists = lists.where(lists.values != rows[lists.rows()])
        some = np.flatnonzero(lists.lengths() > 0)
        return rows[some], lists.take(some)

    def _orders(self, n: int) -> Iterator[IntArray]:
        """So many batches of row numbers; every row comes once before any comes again."""
        size, left, epoch = min(self.budget.batch, n), np.zeros(0, np.int64), 0
        for _ in range(self.budget.total):
            if len(left) < size:
                left = np.argsort(
                    random.uniform(self.seed, np.array(_EPOCH), np.array(epoch), np.arange(n)), kind="stable"
                )
                epoch += 1
            batch, left = left[:size], left[size:]
            yield batch

    def _negatives(self, anchors: IntArray, number: int) -> IntArray:
        """``n`` negatives of each anchor, drawn from its list."""
        lists = self.negatives
        if not len(lists.values):
            return np.zeros((len(anchors), 0), np.int64)
        owners = anchors if self.task.kind == "retrieval" else self.task.owner[anchors]
        n = self.budget.negatives
        chance = random.uniform(
            self.seed, np.array(_NEGATIVE), np.array(number), np.arange(len(anchors))[:, None], np.arange(n)[None]
        )
        count = np.where(owners >= 0, lists.lengths()[owners], 0)[:, None]
        start = lists.offsets[np.maximum(owners, 0)][:, None]
        at = np.minimum(start + (chance * count).astype(int), len(lists.values) - 1)
        return np.asarray(lists.values[at])

    def _hidden(self, anchors: IntArray, positive: IntArray) -> BoolArray:
        task, b = self.task, len(anchors)
        if task.kind == "retrieval":
            left, right = np.repeat(anchors, b), np.tile(positive, b)
            relations = task.positives
            out = (relations.positive.contains(left, right) | relations.ignored.contains(left, right)).reshape(b, b)
        else:
            out = task.codes[anchors][:, None] == task.codes[positive][None]
        np.fill_diagonal(out, False)
        return np.asarray(out)

    @property
    def anchors(self) -> Collection:
        """What the anchors of the triplets are among: the queries, or the items themselves."""
        return self.task.positives.anchors if self.task.kind == "retrieval" else self.task.positives.items

    @property
    def items(self) -> Collection:
        """What positives and negatives are among, with what is held out."""
        return self.task.positives.items

    def triplets(self) -> Iterator[tuple[Any, Any, list[Any]]]:
        """Ids of (anchor, positive, negatives), in the order of training: ``steps`` times ``batch`` of them."""
        anchors, items = self.anchors.ids.to_pylist(), self.items.ids.to_pylist()
        for step in self.steps():
            for a, p, row in zip(step.anchors.tolist(), step.positives.tolist(), step.negatives.tolist(), strict=True):
                yield anchors[a], items[p], [items[one] for one in row]

    def examples(self) -> tuple[list[Any], list[str], list[float]]:
        """Ids, labels and weights of a classifier's training items; the weights of every arm have a mean of 1."""
        task = self.task
        rows = task.parts.train
        ids = self.items.ids.take(pa.array(rows)).to_pylist()
        return ids, [task.names[code] for code in task.codes[rows].tolist()], self.weights[rows].tolist()
