"""What filters of labelled data share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hardneg.classes import Classes
from hardneg.predict import make_model
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["models_of", "over_classes"]


def models_of(models: str | Sequence[str]) -> tuple[str, ...]:
    """Texts of models, each checked; one text is a list of one."""
    return tuple(str(make_model(one)) for one in ([models] if isinstance(models, str) else models))


def over_classes(rows: Rows, classes: Classes, figure: Callable[[IntArray, IntArray], FloatArray]) -> FloatArray:
    """For each row the largest ``figure(items, classes)`` over the classes of its anchor; NaN where one is NaN.

    >>> pets = Classes(("cat", "dog"), np.array([1]), np.array([0]))
    >>> over_classes(Rows(np.array([0]), np.array([0])), pets, lambda items, of: of / 2)
    array([0.5], dtype=float32)
    """
    mine = Ragged.from_codes(classes.anchors).take(rows.anchor)
    found = np.asarray(figure(np.repeat(rows.item, mine.lengths()), mine.values), np.float32)
    out = np.full(len(rows), np.nan, np.float32)
    some = mine.lengths() > 0
    if some.any():
        out[some] = np.maximum.reduceat(found, mine.offsets[:-1][some])
    return out
