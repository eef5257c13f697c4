"""What a refresher holds, as training data: a row for each anchor and positive, with the negatives of the moment.

Columns are ``anchor``, ``positive`` and ``negative`` (or ``negative_1``, ``negative_2`` ... for several), as the losses
of sentence-transformers take them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from torch.utils.data import Dataset

from hardneg.collection import Collection
from hardneg.errors import InputError, MissingExtraError
from hardneg.online.refresh import Refresher

__all__ = ["Pairs", "as_dataset"]

_NUMBER = "pair"


class Pairs(Dataset):  # type: ignore[misc]
    """A PyTorch dataset over a :class:`~hardneg.online.refresh.Refresher`.

    Row ``i`` is always the same anchor and positive; its negatives are those of the last mining, also in the workers of
    a loader. Where items are added in the middle of the training, workers must be started anew
    (``persistent_workers=False``, which is the default, and only between epochs).

    Args:
        refresher: what mines.
        load: opens a picture or tokenises a text, in the workers of the loader.

    Raises InputError for anchors without positives.
    """

    def __init__(self, refresher: Refresher, load: Callable[[Any], Any] | None = None) -> None:
        positives = refresher.positives
        self._now, self._load = refresher.in_use, load
        self.anchors, self.positives = positives.positive.rows(), positives.positive.values
        if not len(self.anchors):
            raise InputError("No anchor has a positive to train with.", remedy="Give pairs that are positive.")
        names = [f"negative_{number + 1}" for number in range(refresher.negatives.shape[1])]
        self.columns = ("anchor", "positive", *(names if len(names) > 1 else ["negative"]))

    def __len__(self) -> int:
        return len(self.anchors)

    def __getitem__(self, row: int) -> dict[str, Any]:
        if not -len(self) <= row < len(self):
            raise IndexError(f"There are {len(self)} pairs. Got row {row}.")
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Several rows at once, as loaders ask for them."""
        which, now = np.asarray(rows, np.int64), self._now
        chosen = now.negatives.numpy()[self.anchors[which]]
        if (chosen < 0).any():
            raise InputError("There are no negatives yet.", remedy="Call refresher.refresh() before the training.")
        anchors, items = _contents(now.positives.anchors, "anchors"), _contents(now.positives.items, "items")
        out = []
        for anchor, positive, negatives in zip(self.anchors[which], self.positives[which], chosen, strict=True):
            things = anchors[int(anchor)], items[int(positive)], *(items[int(one)] for one in negatives)
            out.append(dict(zip(self.columns, self._opened(things), strict=True)))
        return out

    def _opened(self, things: Sequence[Any]) -> list[Any]:
        plain = [one.as_py() if isinstance(one, pa.Scalar) else one for one in things]
        return plain if self._load is None else [self._load(one) for one in plain]


def as_dataset(refresher: Refresher) -> Any:
    """The same as a ``datasets.Dataset``, which ``SentenceTransformerTrainer`` trains on.

    The rows are made when they are asked for, so what a trainer reads after a refresh is new. ``map`` or
    ``save_to_disk`` would fix the negatives of the moment: do without them.

    Raises InputError where nothing has been mined yet (trainers look at their data before they train),
    MissingExtraError without the package datasets.
    """
    try:
        from datasets import Dataset as Table
    except ModuleNotFoundError:
        raise MissingExtraError("datasets", extra="hf") from None
    pairs = Pairs(refresher)
    pairs[0]  # what is wrong is said here, not in the trainer

    def of(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        rows = pairs.__getitems__(batch[_NUMBER])
        return {name: [row[name] for row in rows] for name in pairs.columns}

    return Table.from_dict({_NUMBER: list(range(len(pairs)))}).with_transform(of)


def _contents(things: Collection, what: str) -> Sequence[Any]:
    kinds = (things.texts, things.sounds, things.pictures)
    if (found := next((one for one in kinds if one is not None), None)) is None:
        raise InputError(f"The {what} have no texts, pictures or sounds to train on.")
    return found
