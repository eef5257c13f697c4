"""Candidates that share words with the anchor (BM25)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from hardneg.context import Context
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.sources._base import Source, ranked_rows
from hardneg.table import Rows

__all__ = ["Lexical"]


@dataclass(frozen=True)
class Lexical(Source):
    """The ``k`` items with the highest BM25 score (Robertson 2009; Lucene's variant, through bm25s).

    An item that shares no word with the anchor is no candidate. Needs texts.

    Args:
        k: how many candidates an anchor gets.
        k1: how fast a repeated word stops counting.
        b: how much long texts are held back, from 0 to 1.
        stopwords: ``none``, or ``english`` to leave out the most common words.
    """

    name: ClassVar[str] = "lexical"

    k: int = field(default=100, metadata={"always": True})
    k1: float = 1.5
    b: float = 0.75
    stopwords: Literal["none", "english"] = "none"

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)
        require(self.k1 >= 0, "k1", "at least 0", self.k1)
        require(0 <= self.b <= 1, "b", "in [0, 1]", self.b)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Index the items' words."""
        import bm25s

        stopwords = "english" if self.stopwords == "english" else []
        anchor_texts = context.anchor_texts(self.name)
        item_texts = [str(text) for text in context.item_texts(self.name)]
        with context.progress.stage("index words", len(item_texts), "texts") as report:
            words = bm25s.tokenize(item_texts, stopwords=stopwords, show_progress=False)
            index = bm25s.BM25(k1=self.k1, b=self.b) if words.vocab else None
            if index is not None:
                index.index(words, show_progress=False)
            report(len(item_texts), len(item_texts))
        positives = context.positives
        every = np.arange(len(positives.items))

        def propose(anchors: IntArray) -> Rows:
            excluded = positives.excluded(anchors)
            lists: list[IntArray] = []
            scores, ranks = [np.zeros(0, np.float32)], [np.zeros(0, np.int64)]
            for at, anchor in enumerate(anchors):
                query = bm25s.tokenize(
                    [str(anchor_texts[int(anchor)])], stopwords=stopwords, return_ids=False, show_progress=False
                )[0]
                points = np.asarray(index.get_scores(query) if index is not None and query else [], np.float32)
                closed = positives.forbids(np.full(len(every), anchor), every)
                found, place = best_words(points, excluded[at], closed, self.k)
                lists.append(found)
                scores.append(points[found])
                ranks.append(place)
            return ranked_rows(anchors, Ragged.from_lists(lists), np.concatenate(scores), np.concatenate(ranks))

        return propose


def best_words(points: FloatArray, excluded: IntArray, barred: BoolArray, k: int) -> tuple[IntArray, IntArray]:
    """The k best admissible items with a score above 0 and their raw ranks; ties in item order."""
    points = np.where(barred, 0, points) if len(points) else points
    positive = np.flatnonzero(points > 0)
    wanted = k + len(excluded)
    if len(positive) > wanted:
        floor = -np.partition(-points[positive], wanted - 1)[wanted - 1]
        positive = positive[points[positive] >= floor]
    order = positive[np.lexsort((positive, -points[positive]))]
    place = np.flatnonzero(~np.isin(order, excluded))[:k]
    return order[place].astype(np.int64), place.astype(np.int64)
