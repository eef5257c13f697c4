"""Which engine fits: from the sizes, the recall that is enough, and what the machine has."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.parallel import threads
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Engine, Hits, Search
from hardneg.search._pace import likely
from hardneg.search._products import FLOAT32, pair_seconds
from hardneg.search.approximate import Approximate
from hardneg.search.exact import Exact
from hardneg.search.torch import Torch
from hardneg.similarity import Similarity

__all__ = ["Auto"]

_MANY = 2e10  # pairs from which on sharing work between anchors pays for the clusters it needs: a minute or two
_ITEMS = 50_000  # with fewer items than this, looking at each costs little
_BLOCK = 2**22  # numbers in a block of items
_KEEPS = 1.25  # times as long as its products an exact search takes, by the benchmarks
_SAVES = 12  # how many times quicker than exact in float32 the approximate join is, by the benchmarks


@dataclass(frozen=True)
class Auto(Engine):
    """Chooses: exact search, on graphics cards where there are some, or the approximate join where that is enough.

    Whether the answer is exact is decided by the sizes and the recall alone, so the same mining gives the same
    answer on every machine; what else the machine has decides on time.

    Args:
        recall: the share of the true neighbours that is enough; 1 for all of them.
    """

    name: ClassVar[str] = "auto"

    recall: float = 1.0

    def __post_init__(self) -> None:
        require(0 < self.recall <= 1, "recall", "in (0, 1]", self.recall)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """See :class:`hardneg.search.Engine`."""
        engine = self.choose(len(anchors), items.shape)
        search = engine.prepare(anchors, items, k, similarity, constraints)
        return _Exactly(search) if isinstance(engine, Torch) else search

    def choose(self, anchors: int, items: tuple[int, ...]) -> Engine:
        """The engine for so many anchors and items of shape ``(m, d)``.

        >>> str(Auto().choose(1000, (100_000, 384))), str(Auto(0.98).choose(1_000_000, (1_000_000, 384)))
        ('exact', 'approximate')
        """
        if self.recall < 1 and self._join_pays(anchors, items[0]):
            return Approximate(self.recall)
        return Torch() if _cards() else Exact(item_block=int(np.clip(_BLOCK // items[1], 256, 8192)))

    def explain(self, anchors: int, items: tuple[int, ...]) -> str:
        """What would be chosen and why, and how long it takes about, on this machine as busy as it is now."""
        engine, pairs = self.choose(anchors, items), float(anchors) * items[0]
        sizes = f"{anchors:,} x {items[0]:,} pairs of {items[1]} numbers"
        if isinstance(engine, Torch):
            return f"Search: exact on {_cards()} graphics cards, for {sizes}."
        seconds = pairs * pair_seconds(likely(anchors, items), items[1]) / threads() * _KEEPS
        if isinstance(engine, Approximate):
            saved = pairs * pair_seconds(FLOAT32, items[1]) / threads() / _SAVES  # its products are float32 everywhere
            return (
                f"Search: approximate, for {sizes}; a recall of {self.recall} is enough, and exact search would take "
                f"about {_span(seconds)}. About {_span(min(seconds, saved))}."
            )
        workers = "1 thread" if threads() == 1 else f"{threads()} threads"
        why = "" if self.recall == 1 else f"; so few that a recall of {self.recall} would save little"
        return f"Search: exact on {workers}, for {sizes}{why}. About {_span(seconds)}."

    @staticmethod
    def _join_pays(anchors: int, items: int) -> bool:
        return items >= _ITEMS and float(anchors) * items >= _MANY


@dataclass(frozen=True, eq=False)
class _Exactly(Search):
    """A search on another device; its answers are those of the processor, so the manifest says the same."""

    search: Search

    def __call__(self, rows: IntArray) -> Hits:
        return self.search(rows)

    @property
    def about(self) -> Mapping[str, Any]:
        return {"engine": "exact"}

    @property
    def together(self) -> int:
        return self.search.together


def _cards() -> int:
    """How many graphics cards PyTorch can use; it is loaded only where the system knows of one."""
    if not any(Path("/dev").glob("nvidia[0-9]*")) or importlib.util.find_spec("torch") is None:
        return 0
    import torch

    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def _span(seconds: float) -> str:
    """A length of time as one would say it.

    >>> _span(0.2), _span(95), _span(9000)
    ('1 s', '95 s', '2.5 h')
    """
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
