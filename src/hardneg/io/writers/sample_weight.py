"""Weights for a classifier: one for each item of the run, as ``fit(X, y, sample_weight=...)`` takes them.

The formula is that of :mod:`hardneg.weights`. A table has the columns ``id`` and ``weight``; ``.npy`` holds the
weights alone, in the order of the run's ``items.parquet``. For the order of your own ids there is
``hardneg.sample_weight(run, ids)``.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._flat import FLAT, write_flat
from hardneg.weights import item_weights

__all__ = ["SAMPLE_WEIGHT"]


def _write(export: Export) -> None:
    weights = item_weights(export.run, balanced=export.options.balanced)
    if export.target.suffix == ".npy":
        with opened(export.target) as file:
            np.lib.format.write_array(file, weights)
        export.rows(len(weights))
        return
    export.rows(write_flat(export.target, pa.table({"id": export.run.items.ids, "weight": weights})))


SAMPLE_WEIGHT = Writer(
    "sample-weight", "scikit-learn and others: a weight for each item, more for hard negatives",
    (*FLAT, ".npy"), "ids, weights", _write, ("balanced",), texts=False,
)  # fmt: skip
