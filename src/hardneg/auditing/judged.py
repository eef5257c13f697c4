"""The share of false negatives by judgements, of all mined pairs or of a part of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardneg.auditing.answers import Answers
from hardneg.auditing.intervals import Cell, Interval, stratified
from hardneg.auditing.population import Coded
from hardneg.auditing.result import Part
from hardneg.ragged import BoolArray, IntArray

__all__ = ["cells_of", "judged_parts", "judged_share"]


def cells_of(codes: IntArray, answers: Answers, within: BoolArray) -> list[Cell]:
    """The cells of these pairs: what is settled is one, judged in full; the others by their codes (strata, or finer).

    Those judged in a part of a stratum are a simple random sample of that part, given how many they are, so any part
    has an estimate of its own (domain estimation: Särndal, Swensson & Wretman 1992, Model Assisted Survey Sampling,
    ch. 10).
    """
    settled, open_ = within & answers.settled, within & ~answers.settled
    cells = [Cell(int(settled.sum()), int(settled.sum()), int(answers.truth[settled].sum()))]
    some, said = codes[open_], answers.truth[open_]
    size = int(some.max(initial=-1)) + 1
    counts = (np.bincount(some[mask], minlength=size).tolist() for mask in (said > -2, said >= 0, said == 1))
    return [one for one in (*cells, *map(Cell, *counts)) if one.pairs]


def judged_share(codes: IntArray, answers: Answers, within: BoolArray | None = None) -> Interval:
    """The estimated share of false negatives among these pairs (all if not given), with an exact interval."""
    within = np.ones(len(codes), bool) if within is None else within
    return stratified(cells_of(codes, answers, within))


def judged_parts(parts: Coded, codes_of: Callable[[BoolArray], IntArray], answers: Answers) -> list[Part]:
    """The same for each of some parts. ``codes_of`` gives the cells' codes for a mask of pairs."""
    found = []
    for code, name in enumerate(parts.names):
        within = parts.codes == code
        if not within.any():
            continue
        said = answers.truth[within]
        share = judged_share(codes_of(within), answers, within)
        found.append(Part(name, int(within.sum()), int((said >= 0).sum()), int((said == 1).sum()), share))
    return found
