"""Exact constrained search on the CPU: blocked matrix products propose, exact pair scores decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Engine, Hits, Search
from hardneg.search._blocks import Sides
from hardneg.search._pace import in_bfloat16, quickest
from hardneg.search._precision import torch_library
from hardneg.search._scan import exhaustive
from hardneg.similarity import Similarity

__all__ = ["Exact"]

Precision = Literal["quickest", "float32", "bf16"]

_TOGETHER = 8192


@dataclass(frozen=True)
class Exact(Engine):
    """Exact search; block sizes and precision decide on memory and speed, never on the result.

    Args:
        anchor_block: anchors that one thread works on at a time.
        item_block: items that they are compared with at a time.
        precision: of the products: float32 or bf16, for which PyTorch is needed. bf16 is about twice as quick on
            processors with instructions for it and leaves more pairs to score; quickest takes it for long searches
            where that pays, by a measurement of a few milliseconds and a look at how dense the best items lie.
    """

    name: ClassVar[str] = "exact"

    anchor_block: int = 512
    item_block: int = 8192
    precision: Precision = "quickest"

    def __post_init__(self) -> None:
        require(self.anchor_block >= 1, "anchor_block", "at least 1", self.anchor_block)
        require(self.item_block >= 1, "item_block", "at least 1", self.item_block)
        known = get_args(Precision)
        require(self.precision in known, "precision", f"one of {', '.join(known)}", self.precision)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """See :class:`hardneg.search.Engine`. Raises MissingExtraError for bf16 without PyTorch.

        >>> points = np.array([[0.0], [1.0], [3.0]], np.float32)
        >>> hits = Exact().search(points[:1], points, 2, "euclidean", Constraints.none(1, 3))
        >>> hits.items[0].tolist(), hits.scores.tolist()
        ([0, 1], [-0.0, -1.0])
        """
        sides = Sides.of(anchors, items, similarity)
        if self.precision == "quickest":
            sides = quickest(sides, len(anchors), constraints.depth(k))
        elif self.precision == "bf16":
            torch_library()
            sides = in_bfloat16(sides)
        return _Exactly(self, sides, k, constraints)


@dataclass(frozen=True, eq=False)
class _Exactly(Search):
    engine: Exact
    sides: Sides
    k: int
    constraints: Constraints

    def __call__(self, rows: IntArray) -> Hits:
        blocks = self.engine.anchor_block, self.engine.item_block
        return exhaustive(self.sides, rows, self.k, self.constraints, *blocks)

    @property
    def about(self) -> Mapping[str, Any]:
        return {"engine": "exact"}

    @property
    def together(self) -> int:
        """Items that stay on disk are read once for so many anchors."""
        return 1 if isinstance(self.sides.items, np.ndarray) else _TOGETHER
