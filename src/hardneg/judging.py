"""From an anchor's row number to its judged candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hardneg.context import Context, reference_scores
from hardneg.filters import judge_all
from hardneg.ragged import IntArray, Ragged
from hardneg.run import relation_of
from hardneg.similarity import FloatArray
from hardneg.sources import Source
from hardneg.steps import Steps
from hardneg.table import Array, Rows, grades

__all__ = ["Judge", "judge_rows"]

PairScorer = Callable[[IntArray, IntArray], FloatArray]

_PAIRS = 2_000_000  # item-positive pairs in memory at a time


class Judge:
    """Proposes and judges candidates for blocks of anchors; what steps need is prepared once.

    The outcome for an anchor does not depend on which anchors it shares a block with.
    """

    def __init__(self, source: Source, steps: Steps, context: Context) -> None:
        self._steps, self._context = steps, context
        self._propose = source.prepare(context)
        self._vectors = context.vectors(None)
        context.propose, context.wanted = self._proposed, steps.plan.chooser.n
        self._gather = [one.gather(context) for one in steps.filters]
        self.references = reference_scores(context.positives.positive, self._vectors.pairs)

    def candidates(self, anchors: IntArray) -> tuple[Rows, list[str]]:
        """All candidates of these anchors, judged, and the reasons that the column ``reason`` numbers."""
        rows = self._propose(anchors)
        if "source" not in rows.columns:
            rows = rows.having(source=np.ones(len(rows), np.uint32))
        return self.judged(rows)

    def _proposed(self, anchors: IntArray) -> Rows:
        """Candidates of these anchors with their primary score, for filters that learn from them."""
        rows = self._propose(anchors)
        return rows if "score" in rows.columns else rows.having(score=self._vectors.pairs(rows.anchor, rows.item))

    def judged(self, rows: Rows) -> tuple[Rows, list[str]]:
        """Give proposed rows their evidence and their verdicts."""
        positives = self._context.positives
        rows = rows.having(
            score=rows["score"] if "score" in rows.columns else self._vectors.pairs(rows.anchor, rows.item),
            relation=relation_of(positives, rows),
            positive_similarity=nearest_positive(rows, positives.positive, self._vectors.item_pairs),
            **{name: values[rows.item] for name, values in self._context.of_items.items()},
        )
        for gather in self._gather:
            if gather is not None:
                rows = rows.having(**gather(rows))
        return judge_rows(rows, self._steps, self.references)


def judge_rows(rows: Rows, steps: Steps, references: Mapping[str, FloatArray]) -> tuple[Rows, list[str]]:
    """Apply the filters to rows that have their evidence; add verdict, reason, grade and reference score.

    ``references`` gives each anchor's lowest, highest and mean positive score.
    """
    of_anchor: dict[str, Array] = {f"positive_{name}": values[rows.anchor] for name, values in references.items()}
    verdicts, reasons = judge_all(steps.filters, {**rows.columns, **of_anchor})
    positive_score = of_anchor[f"positive_{steps.reference}"]
    return rows.having(**verdicts, positive_score=positive_score, grade=grades(rows["score"], positive_score)), reasons


def nearest_positive(rows: Rows, positive: Ragged, score: PairScorer) -> FloatArray:
    """The highest similarity of each row's item to a positive of its anchor, shape ``(len(rows),)``."""
    out = np.full(len(rows), -np.inf, np.float32)
    ends = np.cumsum(positive.lengths()[rows.anchor])
    start = 0
    while start < len(rows):  # in slices, since an anchor may have thousands of positives
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
        theirs = positive.take(rows.anchor[start:stop])
        values = score(np.repeat(rows.item[start:stop], theirs.lengths()), theirs.values)
        some = np.flatnonzero(theirs.lengths())
        if len(some):
            out[start + some] = np.maximum.reduceat(values, theirs.offsets[:-1][some])
        start = stop
    return out
