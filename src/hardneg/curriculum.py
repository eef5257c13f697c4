"""Negatives that grow harder from epoch to epoch, out of what a run has kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa

from hardneg import random
from hardneg.choosing import kept_of
from hardneg.notation import require
from hardneg.ragged import IntArray, places
from hardneg.run import Run
from hardneg.table import Rows, negatives_table

__all__ = ["Curriculum", "Pacing", "curriculum", "pace"]

Pacing = Literal["linear", "root", "step"]


def pace(epoch: int, epochs: int, start: float = 0.3, pacing: Pacing = "root") -> float:
    """Which share of an anchor's candidates, the easiest first, is open in an epoch: from ``start`` up to 1.

    With t from 0 in the first epoch to 1 in the last: ``linear`` is start + (1 - start) t; ``root`` is
    sqrt(start^2 + (1 - start^2) t), so that each new candidate gets as long as those before it (Platanios 2019,
    arXiv 1903.09848); ``step`` is start in the first half and 1 in the second (single-step pacing, Hacohen
    and Weinshall 2019, arXiv 1904.03626).

    >>> [round(pace(epoch, 3, 0.2, "linear"), 2) for epoch in range(3)]
    [0.2, 0.6, 1.0]
    """
    require(epochs >= 1, "epochs", "at least 1", epochs)
    require(0 <= epoch < epochs, "epoch", f"from 0 to {epochs - 1}", epoch)
    require(0 < start <= 1, "start", "in (0, 1]", start)
    require(pacing in ("linear", "root", "step"), "pacing", "linear, root or step", pacing)
    t = epoch / (epochs - 1) if epochs > 1 else 1.0
    if pacing == "linear":
        return start + (1 - start) * t
    if pacing == "root":
        return float(np.sqrt(start**2 + (1 - start**2) * t))
    return start if t < 0.5 else 1.0


@dataclass(frozen=True, eq=False)
class Curriculum:
    """The negatives of each epoch, from easy to hard (Bengio 2009): the hardest of a share that grows, and some easy.

    In an epoch an anchor's candidates are open up to a bound on their hardness, as :func:`pace` says: the easiest
    share of those that no filter spoke against, never fewer than ``n``. It gets the hardest of these, and for a share
    ``easy`` of its negatives any of those that were open at first, drawn anew in each epoch: so training never sees
    hard negatives alone. An anchor gets ``n``, or all it has where these are fewer. In the last epoch the others are
    the hardest there are.

    The run's candidates are read once and kept, some 50 bytes each. Quotas and caps of the run's sampler do not apply.

    Args:
        run: a finished run, with more candidates than it has sampled.
        epochs: how many there are.
        n: negatives for each anchor; what the run wanted if not given.
        pacing: linear, root or step.
        start: the share that is open in the first epoch, in (0, 1].
        easy: the share of the negatives that stays easy, in [0, 1].
        seed: draws the easy ones.
    """

    run: Run
    epochs: int
    n: int | None = None
    pacing: Pacing = "root"
    start: float = 0.3
    easy: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.n is None or self.n >= 1, "n", "at least 1", self.n)
        require(0 <= self.easy <= 1, "easy", "in [0, 1]", self.easy)
        pace(0, self.epochs, self.start, self.pacing)

    def at(self, epoch: int) -> pa.Table:
        """The negatives of an epoch, from 0: a table like ``run.negatives``.

        The same run, options and epoch give the same table. Raises OptionError for an epoch that there is not.
        """
        rows, n = self._kept, int(self.run.manifest["wanted"]) if self.n is None else self.n
        counts = np.bincount(rows.anchor, minlength=len(self.run.anchors))
        easy, place, many = round(self.easy * n), places(counts), counts[rows.anchor]
        # Places count from the hardest, so what is open lies behind what is closed.
        bound = many - _opened(many, pace(epoch, self.epochs, self.start, self.pacing), n)
        chosen = (place >= bound) & (place < bound + n - easy)
        first = ~chosen & (place >= many - _opened(many, self.start, n))
        keys = self.run.anchors.keys[rows.anchor], self.run.items.keys[rows.item]
        draw = np.where(first, random.uniform(self.seed, np.array(epoch), *keys), np.inf)
        order = np.lexsort((draw, rows.anchor))
        chosen[order[(places(counts) < easy) & np.isfinite(draw[order])]] = True
        names = self.run.manifest["source_names"]
        return negatives_table(rows.take(chosen), self.run.anchors, self.run.items, names)

    @cached_property
    def _kept(self) -> Rows:
        """All kept candidates, by anchor, hardest first."""
        return kept_of(self.run)


def curriculum(
    run: Run, epoch: int, epochs: int, n: int | None = None, *, pacing: Pacing = "root", seed: int = 0
) -> pa.Table:  # fmt: skip
    """The negatives of one epoch; :class:`Curriculum` has more options and reads the run only once for all epochs."""
    return Curriculum(run, epochs, n, pacing, seed=seed).at(epoch)


def _opened(many: IntArray, share: float, n: int) -> IntArray:
    """How many of each anchor's candidates are open: a share of them, but no fewer than it is to get."""
    opened: IntArray = np.ceil(share * many - 1e-9).astype(np.int64)
    return np.maximum(opened, np.minimum(many, n))
