"""The sample that the audit asks for, as a queue; and what its answers say so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hardneg.auditing import sample_of
from hardneg.auditing.answers import answers_of, drawn_by
from hardneg.auditing.judged import judged_share
from hardneg.auditing.population import Population
from hardneg.auditing.sample import Sample
from hardneg.errors import HardnegError
from hardneg.ragged import IntArray
from hardneg.review.desk import Desk
from hardneg.review.queues import Queue

__all__ = ["DRAWN", "Sampled", "Share"]

DRAWN = 400
"""Pairs in the queue: more than most will judge, and any beginning of it is a sample."""


@dataclass(frozen=True)
class Share:
    """The estimated share of false negatives among the mined: its interval, and how many judgements it is by."""

    value: float
    low: float
    high: float
    judged: int
    mined: int


@dataclass(eq=False)
class Sampled:
    """The drawn pairs as candidates of a desk, in the order in which they should be judged."""

    population: Population
    sample: Sample
    rows: IntArray
    _known: dict[int, Share | None] = field(default_factory=dict)

    @classmethod
    def of(cls, desk: Desk) -> Sampled | None:
        """Draw them; None where nothing was mined, or where an earlier sample was drawn by a teacher's scores."""
        if not desk.run.negatives.num_rows:
            return None
        try:
            if drawn_by(desk.run, ()) != "score":
                return None
        except HardnegError:  # a ledger with a wrong line: whoever reads it says so
            return None
        population, sample = sample_of(desk.run, DRAWN)
        anchors, items = population.pairs(sample.pairs)
        return cls(population, sample, desk.rows_of(list(anchors), list(items)))

    @property
    def queue(self) -> Queue:
        """The queue."""
        why = "drawn at random, so that few answers say much of all"
        return Queue("sample", "Sample for the audit", why, lambda _: self.rows)

    def drawn(self, row: int) -> tuple[str, float] | None:
        """The stratum and weight of a candidate that was drawn."""
        found = np.flatnonzero(self.rows == row)
        if not len(found):
            return None
        at = int(found[0])
        code = int(self.sample.strata.codes[self.sample.pairs[at]])
        return self.sample.strata.names[code], self.sample.weight[at]

    def share(self, ledger: Path, number: int) -> Share | None:
        """What the answers say of all that was mined; None before the first. Another ``number`` means a new look."""
        if number not in self._known:
            self._known = {number: self._share()} if ledger.is_file() else {number: None}
        return self._known[number]

    def _share(self) -> Share | None:
        answers = answers_of(self.population, self.sample.strata)
        if not answers.drawn:
            return None
        found = judged_share(self.sample.strata.codes, answers)
        return Share(found.value, found.low, found.high, answers.drawn, len(self.population))
