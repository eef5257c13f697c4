"""Weights with which rare classes count as much as common ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.labels import classes_of, mean_over_classes
from hardneg.notation import require
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run

__all__ = ["Scheme", "Side", "class_weights", "negative_weights", "weighted"]

Scheme = Literal["even", "effective"]
Side = Literal["item", "anchor"]
Weights = NDArray[np.float64]


def class_weights(counts: IntArray, scheme: Scheme = "even", beta: float = 0.999) -> Weights:
    """A weight for each class, such that the things in them weigh 1 on average; 0 for a class without any.

    ``even`` gives every class the same sum: 1 / n. ``effective`` holds that things of a class overlap the more, the
    more there are: (1 - beta) / (1 - beta^n), the inverse of the effective number of samples (Cui 2019,
    arXiv 1901.05555); with beta at 0 all things weigh the same, towards 1 it is ``even``.

    Args:
        counts: how many things each class has, shape ``(c,)``.
        scheme: even or effective.
        beta: of the effective number, in [0, 1); the paper tries 0.9 to 0.9999.

    >>> class_weights(np.array([30, 10])).round(3).tolist()
    [0.667, 2.0]
    """
    require(scheme in ("even", "effective"), "scheme", "even or effective", scheme)
    require(0 <= beta < 1, "beta", "in [0, 1)", beta)
    counts = np.asarray(counts, np.int64)
    some = np.maximum(counts, 1)
    each = 1 / some if scheme == "even" else (1 - beta) / (1 - beta**some)
    each = np.where(counts > 0, each, 0.0)
    total = float((each * counts).sum())
    return each * (counts.sum() / total) if total else each


def negative_weights(run: Run, of: Side = "item", scheme: Scheme = "even", beta: float = 0.999) -> Weights:
    """A weight for each row of ``run.negatives``, for a loss: by the class of its item, or of its anchor.

    Classes are counted among the sampled negatives themselves. What has several classes takes the mean of their
    weights; what has none weighs 1, and the others 1 on average.

    Raises InputError for a run without labels.
    """
    require(of in ("item", "anchor"), "of", "item or anchor", of)
    if (classes := classes_of(run)) is None:
        raise InputError("The run has no labels to weigh by.", remedy="Mine labelled data: Positives.from_labels(...)")
    codes, things = (classes.items, run.items) if of == "item" else (classes.anchors, run.anchors)
    members = Ragged.from_codes(codes).take(things.positions(run.negatives.column(of)))
    weights = class_weights(np.bincount(members.values, minlength=len(classes.names)), scheme, beta)
    out = mean_over_classes(members, weights, np.nan)
    return np.nan_to_num(out / np.nanmean(out), nan=1.0) if len(members.values) else np.ones(len(out))


def weighted(run: Run, of: Side = "item", scheme: Scheme = "even", beta: float = 0.999) -> pa.Table:
    """``run.negatives`` with a column ``weight`` (float32) more; see :func:`negative_weights`."""
    return run.negatives.append_column("weight", pa.array(negative_weights(run, of, scheme, beta), pa.float32()))
