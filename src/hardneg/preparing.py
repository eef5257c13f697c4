"""What must be known before mining: the vectors that score, and what can be mined at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.context import Vectors
from hardneg.errors import InputError
from hardneg.positives import Positives
from hardneg.ragged import IntArray
from hardneg.similarity import zero_rows
from hardneg.sources import Source

__all__ = ["minable", "primary_vectors"]


def primary_vectors(source: Source, positives: Positives, given: Callable[[], Vectors]) -> Vectors:
    """The vectors that score every candidate: those that the source brings, else those given.

    Raises InputError unless there is one finite vector for each anchor and each item.
    """
    found = source.own_vectors(given) or given()
    return Vectors.checked(found.anchors, found.items, positives, found.similarity)


def minable(positives: Positives, vectors: Vectors) -> tuple[Positives, IntArray, list[dict[str, Any]]]:
    """Leave out what cannot be mined, and count it: anchors without positives, zero vectors under cosine."""
    usable = positives.positive.lengths() > 0
    left_out = {"anchor_without_positive": (positives.anchors.ids, ~usable)}
    if vectors.similarity == "cosine":
        no_direction = zero_rows(vectors.anchors)
        left_out["anchor_with_zero_vector"] = (positives.anchors.ids, no_direction & usable)
        left_out["item_with_zero_vector"] = (positives.items.ids, zero_rows(vectors.items))
        usable &= ~no_direction
        positives = positives.barring(positives.items.ids.filter(pa.array(left_out["item_with_zero_vector"][1])))
    skipped = [
        {"reason": reason, "count": int(mask.sum()), "examples": [str(one) for one in ids.filter(pa.array(mask))[:3]]}
        for reason, (ids, mask) in left_out.items()
        if mask.any()
    ]
    active = np.flatnonzero(usable)
    if not len(active):
        raise _nothing_to_mine_for(positives)
    if positives.barred.all():
        raise InputError(
            "No item may be mined: all are barred, empty or without a direction.",
            remedy="Look at --exclude-split and --exclude-ids, and at the items' texts or vectors.",
        )
    return positives, active, skipped


def _nothing_to_mine_for(positives: Positives) -> InputError:
    """Why no anchor can be mined for: none has a positive, or those that have one have no direction."""
    if positives.positive.lengths().any():
        return InputError(
            "Every anchor that has a positive has a zero vector, which cosine cannot compare.",
            remedy="Look at the texts or vectors, or encode with another model.",
        )
    remedy = "Check the judgements."
    if positives.classes is not None:
        remedy = "Each of them is alone in its class: name another column of labels, or add items."
    return InputError("No anchor has a positive, so there is nothing to mine for.", remedy=remedy)
