"""The examination of retrieval: held-out queries rank the documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.division import sampled
from hardneg.impact.exam import Answers, Figures, Measure
from hardneg.impact.grades import Graded, graded_accuracy
from hardneg.impact.lesson import Scorer
from hardneg.impact.task import Task
from hardneg.measures import average_precision_at, ndcg_at, ranks_of, recall_at, reciprocal_rank_at, success_at
from hardneg.ragged import IntArray, Ragged

__all__ = ["Ranked"]

QUERIES, DOCUMENTS = 2000, 50_000  # beyond these a sample stands for all; relevant documents are always in it
_BLOCK = 128
_MEASURES = {
    "nDCG@10": (ndcg_at, 10, "discounted gain of the ten first, of the best possible"),
    "MRR@10": (reciprocal_rank_at, 10, "one by the rank of the first relevant document"),
    "recall@10": (recall_at, 10, "share of the relevant documents among the ten first"),
    "recall@100": (recall_at, 100, "share of the relevant documents among the hundred first"),
    "MAP@100": (average_precision_at, 100, "mean precision where relevant documents stand"),
    "success@1": (success_at, 1, "share of queries whose first document is relevant"),
}


class Ranked:
    """Queries of one part of a task against all documents, or 50,000 of them; marked by where relevant ones stand."""

    measures: tuple[Measure, ...] = tuple(Measure(name, 1, words) for name, (_, _, words) in _MEASURES.items())
    draws = 1000
    across = ""

    def __init__(self, task: Task, rows: IntArray, frozen: Scorer | None, *, seed: int = 0) -> None:
        relations = task.positives
        self.rows = sampled(rows, QUERIES, seed)
        documents = np.arange(len(relations.items))
        if len(documents) > DOCUMENTS:
            wanted = np.unique(relations.positive.take(self.rows).values)
            documents = np.union1d(wanted, sampled(documents, DOCUMENTS, seed))
        self.documents = documents
        self.relevant = _among(relations.positive.take(self.rows), documents)
        itself = Ragged.from_codes(relations.own[self.rows])
        self.hidden = _among(relations.ignored.take(self.rows).merged(itself), documents)
        self.subjects = np.unique(task.parts.lots[self.rows], return_inverse=True)[1].astype(np.int64)
        self.count = int(self.subjects.max()) + 1
        self.graded = None if frozen is None else self._graded(frozen, seed)

    def answers(self, scorer: Scorer) -> Answers:
        """Marks by measure, ``(measures, queries)``; the first document of each query; scores of graded pairs."""
        ranks, first, pairs = [], [], []
        for start in range(0, len(self.rows), _BLOCK):
            some = np.arange(start, min(start + _BLOCK, len(self.rows)))
            scores = np.array(scorer(self.rows[some], self.documents), np.float32)
            ranks += _rows(ranks_of(scores, self.relevant.take(some), self.hidden.take(some)))
            if self.graded is not None:
                pairs.append(self.graded.right(scores, some))
            for at, hidden in enumerate(_rows(self.hidden.take(some))):
                scores[at, hidden] = -np.inf
            first.append(self.documents[scores.argmax(axis=1)])
        found = Ragged.from_lists(ranks)
        marks = np.stack([function(found, k) for function, k, _ in _MEASURES.values()])
        out = {"marks": marks, "unit": marks[0], "choice": np.concatenate(first), "right": marks[-1] > 0}
        return out if self.graded is None else {**out, "pairs": np.concatenate(pairs)}

    def figures(self, answers: Mapping[str, NDArray[Any]], weights: Figures | None = None) -> Figures:
        """The means over queries."""
        marks = answers["marks"]
        return np.asarray(marks.mean(axis=1) if weights is None else marks @ weights / weights.sum())

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Figures:  # noqa: ARG002 - as all examinations
        """None: a ranking accepts nothing."""
        return np.zeros(0)

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Figures, weights: Figures | None = None) -> Figures:  # noqa: ARG002
        """Nothing, likewise."""
        return np.full(len(rates), np.nan)

    def by_grade(self, answers: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """How often the positives of a query score above its negatives, on average, by the grade of these."""
        return {} if self.graded is None else graded_accuracy(answers["pairs"], self.graded.grade)

    def _graded(self, frozen: Scorer, seed: int) -> Graded:
        blocks = []
        for start in range(0, len(self.rows), _BLOCK):
            some = np.arange(start, min(start + _BLOCK, len(self.rows)))
            scores = np.asarray(frozen(self.rows[some], self.documents))
            blocks.append(Graded.of(scores, self.relevant.take(some), self.hidden.take(some), seed + start))
        return Graded.concatenated(blocks)


def _among(lists: Ragged, documents: IntArray) -> Ragged:
    """The same lists by place among the ``documents``, which are sorted; others are left out."""
    place = np.minimum(np.searchsorted(documents, lists.values), len(documents) - 1)
    keep = documents[place] == lists.values
    return Ragged.from_pairs(lists.rows()[keep], place[keep], len(lists))


def _rows(lists: Ragged) -> list[IntArray]:
    return [lists[row] for row in range(len(lists))]
