"""A second opinion: another encoder, or the item's own view of the anchors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.context import Context, Vectors, reference_scores
from hardneg.errors import OptionError
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of, too_close
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search import Constraints, Exact
from hardneg.table import Rows, Verdict

__all__ = ["Agreement"]


@dataclass(frozen=True)
class Agreement(Filter):
    """Suspects a candidate that a second encoder puts near the positive, or that is a mutual nearest neighbour.

    The second encoder is the guide of GISTEmbed (Solatorio 2024, arXiv 2402.16829), used before training. Mutual
    neighbours are the k-reciprocal ones of Zhong 2017 (arXiv 1701.08398): the item is near the anchor, and the
    anchor is among the ``reciprocal`` anchors nearest to the item.

    Args:
        encoder: the second encoder, as text.
        margin: suspect if its score is above ``positive - margin * |positive|``.
        reference: which positive counts in its eyes.
        reciprocal: suspect if the anchor is among this many nearest anchors of the item, and the item's raw rank is
            below it too.
    """

    name: ClassVar[str] = "agreement"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("second_encoder", Verdict.SUSPECT),
        Rule("reciprocal", Verdict.SUSPECT),
    )
    needs_model: ClassVar[bool] = True

    encoder: str | None = None
    margin: float = 0.0
    reference: Literal["min", "max", "mean"] = "min"
    reciprocal: int | None = None

    def __post_init__(self) -> None:
        if self.encoder is None and self.reciprocal is None:
            raise OptionError("agreement needs 'encoder' or 'reciprocal', as in agreement(reciprocal=5).")
        require(0 <= self.margin < 1, "margin", "in [0, 1)", self.margin)
        require(self.reciprocal is None or self.reciprocal >= 1, "reciprocal", "at least 1", self.reciprocal)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The second encoder's score and positive score, and the anchor's place in the item's eyes (-1: not among).

        The place is known among the ``reciprocal`` nearest only, so the column carries that number in its name.
        """
        of_encoder = tuple(f"{part}:{self.encoder}" for part in ("second", f"second_{self.reference}"))
        of_anchors = (f"reciprocal_rank:{self.reciprocal}",)
        return (of_encoder if self.encoder else ()) + (of_anchors if self.reciprocal else ())

    def gather(self, context: Context) -> Gather:
        """Encode with the second encoder; search the anchors of each item on demand."""
        second = context.vectors(self.encoder) if self.encoder else None
        reference = reference_scores(context.positives.positive, second.pairs) if second else {}
        places = _Places(context.vectors(None), self.reciprocal) if self.reciprocal else None

        def gather(rows: Rows) -> Columns:
            columns: dict[str, NDArray[np.generic]] = {}
            if second is not None:
                columns[self.evidence[0]] = second.pairs(rows.anchor, rows.item)
                columns[self.evidence[1]] = reference[self.reference][rows.anchor]
            if places is not None:
                columns[self.evidence[-1]] = places.of(rows)
            return columns

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """Compare with the second encoder's positive, then look for mutual neighbours."""
        shape = np.shape(columns["score"])
        close, gap = np.zeros(shape, bool), np.zeros(shape, np.float32)
        if self.encoder:
            score, positive = (columns[name] for name in self.evidence[:2])
            close, gap = too_close(score, positive, None, self.margin)[1], score - positive
        mutual, place = np.zeros(shape, bool), np.zeros(shape, np.int32)
        if self.reciprocal:
            place = columns[self.evidence[-1]]
            mutual = (
                (place >= 0) & (place < self.reciprocal) & (columns["rank"] >= 0) & (columns["rank"] < self.reciprocal)
            )
        return first_of(shape, (close, gap), (mutual, place))


class _Places:
    """For each item its nearest anchors, searched once, when first asked for."""

    def __init__(self, vectors: Vectors, k: int) -> None:
        self._vectors, self._k = vectors, k
        self._nearest = np.full((len(vectors.items), k), -1, np.int64)
        self._searched = np.zeros(len(vectors.items), bool)

    def of(self, rows: Rows) -> NDArray[np.int32]:
        """The place of each row's anchor among its item's nearest, -1 where it is not among them."""
        fresh = np.unique(rows.item[~self._searched[rows.item]])
        if len(fresh):
            self._search(fresh)
        hit = self._nearest[rows.item] == rows.anchor[:, None]
        return np.where(hit.any(axis=1), hit.argmax(axis=1), -1).astype(np.int32)

    def _search(self, items: IntArray) -> None:
        vectors = self._vectors
        free = Constraints.none(len(items), len(vectors.anchors))
        hits = Exact().search(vectors.items[items], vectors.anchors, self._k, vectors.similarity, free)
        place = np.arange(len(hits.items.values)) - np.repeat(hits.items.offsets[:-1], hits.items.lengths())
        self._nearest[items[hits.items.rows()], place] = hits.items.values
        self._searched[items] = True
