"""What a source is: where candidates come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from hardneg.context import Context, Vectors
from hardneg.notation import Step
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["Propose", "Source", "ranked_rows"]

Propose = Callable[[IntArray], Rows]


class Source(Step):
    """Proposes candidates. A frozen dataclass whose fields are its options.

    A source honours ``Context.positives``: it never proposes an excluded or a barred item, and it gives as many as
    it was asked for whenever so many admissible ones exist, unless it says that it does not (``promises_k``).
    """

    promises_k: ClassVar[bool] = True  # False where it looks at a part of the items only, such as a cluster
    needs_labels: ClassVar[bool] = False  # whether it needs items with labels

    @abstractmethod
    def prepare(self, context: Context) -> Propose:
        """Build what is needed once (an index), and return the function that proposes.

        That function takes anchor rows, ascending, and returns Rows sorted by anchor, hardest first, with the columns
        ``source_score`` (float32, the source's own figure, higher is harder) and ``rank`` (int32, raw rank in this
        source, from 0; -1 where it does not rank). What it proposes for an anchor must not depend on which other
        anchors it is asked with.
        """

    def own_vectors(self, context_vectors: Callable[[], Vectors]) -> Vectors | None:  # noqa: ARG002 - for others to use
        """Vectors that this source brings along; they become the primary similarity."""
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """The names this source gives as provenance."""
        return (self.name,)


def ranked_rows(anchors: IntArray, lists: Ragged, scores: FloatArray, ranks: IntArray) -> Rows:
    """Rows from one list of items for each of ``anchors``."""
    return Rows(
        np.repeat(anchors, lists.lengths()),
        lists.values,
        {"source_score": np.asarray(scores, np.float32), "rank": np.asarray(ranks, np.int32)},
    )
