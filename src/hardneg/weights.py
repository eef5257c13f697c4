"""How much each item should count in training a classifier: the one place where the formula stands.

    hardness(item) = sum over the pairs in which it was sampled of q(pair)
    weight(item)   = (1 + log2(1 + hardness(item))), divided by the mean over the items of the run

``q(pair)`` is the share of all sampled pairs that score no higher, from just above 0 to 1: so it does not matter on
which scale a similarity is. The logarithm keeps a hub that is mined a thousand times from drowning the rest. An item
that is suspect for anyone may be labelled wrongly, so it counts as if it had never been sampled.

Balanced by class, the weights of each class are multiplied by one number, so that all classes weigh the same in sum;
an item of several classes takes the mean of their numbers.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.collection import as_ids
from hardneg.errors import InputError
from hardneg.labels import about_anchor, classes_of, mean_over_classes, own_items
from hardneg.ragged import BoolArray, Ragged
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["item_weights", "quantiles", "rising", "sample_weight", "suspects"]

Weights = NDArray[np.float64]


def sample_weight(run: Run, ids: object = None, *, balanced: bool = False) -> Weights:
    """The weight of each example in training: it rises with how often and how hard it was sampled as a negative.

        classifier.fit(X, y, sample_weight=hardneg.sample_weight(run, ids))

    Args:
        run: a finished run.
        ids: the ids of the user's examples, in their order; those of ``run.items`` if not given. An id that the run
            does not hold gets 1.0.
        balanced: whether all classes weigh the same in sum. Needs labels.

    Returns:
        Positive numbers, shape ``(len(ids),)``; their mean over the items of the run is 1.

    Raises:
        InputError: ``balanced`` without labels, or ids that are missing or neither text nor whole numbers.
    """
    weights = item_weights(run, balanced=balanced)
    if ids is None:
        return weights
    rows = run.items.positions(as_ids(ids))
    return np.where(rows >= 0, weights[rows], 1.0) if len(weights) else np.ones(len(rows))


def item_weights(run: Run, *, balanced: bool = False) -> Weights:
    """The weight of each item of the run, shape ``(len(run.items),)``, mean 1."""
    table = run.negatives
    items = run.items.positions(table.column("item"))
    hardness = np.bincount(items, quantiles(table.column("score").to_numpy()), len(run.items))
    raw = rising(np.where(suspects(run), 0.0, hardness))
    if balanced:
        raw = raw * _evened(run, raw)
    return np.asarray(raw / raw.mean() if len(raw) else raw)


def rising(hardness: Weights) -> Weights:
    """``1 + log2(1 + hardness)``: what an item counts before weights are brought to a mean of 1.

    >>> rising(np.array([0.0, 1.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    return 1 + np.log2(1 + hardness)


def quantiles(scores: FloatArray) -> Weights:
    """For each score the share of all that are no higher; a missing one is the lowest.

    >>> quantiles(np.array([0.3, 0.9, 0.3, 0.5])).tolist()
    [0.5, 1.0, 0.5, 0.75]
    """
    _, place, counts = np.unique(np.nan_to_num(scores, nan=-np.inf), return_inverse=True, return_counts=True)
    return np.asarray(np.cumsum(counts)[place] / max(1, len(scores)))


def suspects(run: Run) -> BoolArray:
    """Which items are suspect for at least one anchor, or as an anchor themselves, shape ``(len(run.items),)``."""
    out, own = np.zeros(len(run.items), bool), own_items(run)
    for part in run.parts():
        found = part.filter(pc.equal(part.column("verdict").cast(pa.string()), "suspect"))
        names = found.column("reason").cast(pa.string())
        of_anchor = np.isin(names.to_numpy(), [one for one in names.unique().to_pylist() if about_anchor(one)])
        items, anchors = run.items.positions(found.column("item")), run.anchors.positions(found.column("anchor"))
        doubted = np.where(of_anchor, own[anchors], items)
        out[doubted[doubted >= 0]] = True
    return out


def _evened(run: Run, raw: Weights) -> Weights:
    """The number for each item that makes the weights of all classes sum up to the same; 1 without a class."""
    if (classes := classes_of(run)) is None:
        raise InputError("Weights can only be balanced by class where the items have labels. The run has none.")
    members = Ragged.from_codes(classes.items)
    totals = np.bincount(members.values, raw[members.rows()], len(classes.names))
    factors = totals[totals > 0].mean() / np.where(totals > 0, totals, 1.0)
    return mean_over_classes(members, factors, 1.0)
