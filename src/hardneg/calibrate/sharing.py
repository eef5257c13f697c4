"""Whether positives shared between anchors are held back: their own hidden ones decide it on each data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate.threshold import Curve, Pool, curve, thresholds
from hardneg.ragged import BoolArray

__all__ = ["barring", "shared_or_not"]

Figures = NDArray[np.float64]
_LITTLE = 0.01  # of the hardness above the mean candidate, and of the negatives
_FAR = 1000.0  # more than any log odds


def shared_or_not(
    pool: Pool, shared: BoolArray, wanted: int, unknown: Callable[[int], tuple[float, float]], rate: float
) -> tuple[Curve, bool]:
    """The curve of the figure, or of the same where positives shared with another anchor never pass.

    Where who shares a positive wants the same, these are positives one and all, also those that look like none, and to
    hold them back costs nothing; where things have several sides they are the hardest negatives. So they are held back
    if at the wanted rate as many and as hard ones are mined without them.

    Args:
        pool: of the anchors with two positives.
        shared: which rows are shared positives.
        wanted: negatives an anchor is to get.
        unknown: of each group how many positives are unknown, as of :func:`hardneg.calibrate.curve`.
        rate: the share of false negatives that is asked for.
    """
    plain = curve(pool, wanted, unknown)
    if not (shared & pool.candidates).any() or shared.all():
        return plain, False
    barred = curve(replace(pool, figure=barring(pool.figure, shared)), wanted, unknown, thresholds(pool, ~shared))
    promised = plain.bound[0] <= rate or barred.bound[0] <= rate
    at = [_at(one, rate, promised=promised) for one in (plain, barred)]
    if at[0] is None or at[1] is None:
        return (barred, True) if at[0] is None and at[1] is not None else (plain, False)
    candidate, positive = (float(pool.score[kind].mean()) for kind in (pool.candidates, pool.hidden))
    little = _LITTLE * abs(at[0][0] - candidate)
    seeming = rate * max(0.0, positive - at[0][0])  # false negatives make what is mined look harder
    keeps = at[1][0] >= at[0][0] - little - seeming and at[1][1] >= (1 - _LITTLE) * at[0][1]
    return (barred, True) if keeps else (plain, False)


def _at(found: Curve, rate: float, *, promised: bool) -> tuple[float, int] | None:
    """The hardness of what is mined at a rate, and how many they are; None where nothing is."""
    row = int(np.searchsorted(found.bound if promised else found.share, rate, side="right")) - 1
    return (float(found.hardness[row]), int(found.mined[row])) if row >= 0 and found.mined[row] else None


def barring(figure: Figures, shared: BoolArray) -> Figures:
    """The figure, and for what is shared one above all thresholds."""
    return np.where(shared, figure + _FAR, figure)
