"""What filters of labelled data share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hardneg.classes import Classes
from hardneg.context import Context
from hardneg.predict import Predictions, make_model
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["models_of", "over_classes", "views_of"]

USUAL = ("logistic", "knn")


def models_of(models: str | Sequence[str]) -> tuple[str, ...]:
    """Texts of models, each checked; one text is a list of one."""
    return tuple(str(make_model(one)) for one in ([models] if isinstance(models, str) else models))


def views_of(context: Context, models: Sequence[str], name: str, items: BoolArray | None = None) -> list[Predictions]:
    """The predictions of these models; of none the given ones, if they can judge labels, else those of ``USUAL``.

    Given predictions can judge labels if some of what may be mined has a label and a prediction made without it, and
    if all of ``items`` that may be mined have one.
    """
    given, positives = context.positives.predictions, context.positives
    if models or given is None:
        return [context.predictions(one, name) for one in models or USUAL]
    usable, minable = given.held_out & given.predicted, ~positives.barred
    judged = (usable & minable & context.classes(name).labelled()).any()
    asked = minable if items is None else minable & items
    if judged and (items is None or usable[asked].all()):
        return [context.predictions(None, name)]
    context.progress.say(f"'{name}' needs predictions of more items than were given, so it asks {' and '.join(USUAL)}.")
    return [context.predictions(one, name) for one in USUAL]


def over_classes(rows: Rows, classes: Classes, figure: Callable[[IntArray, IntArray], FloatArray]) -> FloatArray:
    """For each row the largest ``figure(items, classes)`` over the classes of its anchor; NaN where one is NaN.

    >>> pets = Classes(("cat", "dog"), np.array([1]), np.array([0]))
    >>> over_classes(Rows(np.array([0]), np.array([0])), pets, lambda items, of: of / 2)
    array([0.5], dtype=float32)
    """
    mine = Ragged.from_codes(classes.anchors.take(rows.anchor))
    found = np.asarray(figure(np.repeat(rows.item, mine.lengths()), mine.values), np.float32)
    out = np.full(len(rows), np.nan, np.float32)
    some = mine.lengths() > 0
    if some.any():
        out[some] = np.maximum.reduceat(found, mine.offsets[:-1][some])
    return out
