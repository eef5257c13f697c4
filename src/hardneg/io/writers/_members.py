"""Examples where the anchors are classes: the members of a class stand for it, in pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardneg import random
from hardneg.io.writers._examples import Example
from hardneg.labels import classes_of
from hardneg.ragged import Ragged
from hardneg.run import Run

__all__ = ["Members"]


class Members:
    """Makes examples of members from those of classes.

    The members of a class stand in a ring, in an order drawn by the seed of the run and their ids, and each has the
    next one for its positive. So every member is once an anchor and once a positive. It has the negatives of its
    class, but for those that share another of its labels. Scores stay those of the class.
    """

    def __init__(self, run: Run) -> None:
        self._draws = random.uniform(int(run.manifest["seed"]), run.items.keys)
        classes = classes_of(run)
        self._labels = Ragged.from_codes(np.full(len(run.items), -1) if classes is None else classes.items)

    def of(self, one: Example) -> Iterator[Example]:
        """An example for each member of a class, itself an anchor with the row of an item; none for a class of one."""
        if len(one.positives) < 2:
            return
        ring = sorted(one.positives, key=lambda hit: (self._draws[hit.row], hit.row))
        sets = {hit.row: set(self._labels[hit.row].tolist()) for hit in (*one.positives, *one.negatives)}
        for at, member in enumerate(ring):
            mine = sets[member.row]
            negatives = tuple(hit for hit in one.negatives if not mine & sets[hit.row])
            document = member.document
            following = ring[(at + 1) % len(ring)]
            yield Example(member.row, document.id, document.text, (following,), negatives)
