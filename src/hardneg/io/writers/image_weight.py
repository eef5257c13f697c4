"""How often each image of a data set with boxes should be seen in training: more where negatives were mined in it.

    hardness(image) = sum over the pairs sampled in it of q(pair)
    weight(image)   = (1 + log2(1 + hardness(image))), divided by the mean over all images

``q(pair)`` is the share of all sampled pairs that score no higher, as in :mod:`hardneg.weights`; suspects do not count.
All images of the data set are there, in its order, so that a sampler takes the column as it is:
``torch.utils.data.WeightedRandomSampler(weights, len(weights))``. Columns: ``image`` (the name of its file), ``id``,
``weight``, ``n_negatives``, ``n_boxes``.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._flat import FLAT, write_flat
from hardneg.io.writers._mined_boxes import scenes

__all__ = ["IMAGE_WEIGHT"]


def _write(export: Export) -> None:
    found = scenes(export)
    images = found.truth.images
    mined = [found.negatives.get(row, ()) for row in range(len(images))]
    raw = 1 + np.log2(1 + np.array([sum(one.rank for one in some) for some in mined], np.float64))
    columns = {
        "image": pa.array([one.name for one in images], pa.string()),
        "id": pa.array([str(one.id) for one in images], pa.string()),
        "weight": pa.array(raw / raw.mean() if len(raw) else raw, pa.float64()),
        "n_negatives": pa.array([len(some) for some in mined], pa.int64()),
        "n_boxes": pa.array([len(found.truth.boxes.get(row, ())) for row in range(len(images))], pa.int64()),
    }
    export.rows(write_flat(export.target, pa.table(columns)))


IMAGE_WEIGHT = Writer(
    "image-weight", "samplers of images: a weight for each image, more where negatives were mined", FLAT,
    "images, weights", _write, (), texts=False,
)  # fmt: skip
