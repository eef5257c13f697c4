"""The same batches for sentence-transformers: for ``batch_sampler`` of its training arguments.

    sampling = HardClassSampling(items=4, encode=model.encode)
    arguments = SentenceTransformerTrainingArguments(..., batch_sampler=sampling)

The trainer calls them with the dataset, as it calls its own ``DefaultBatchSampler``. ``sampler`` is what the last call
made, whose state :class:`hardneg.online.hooks.KeepState` can put into checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.online.batches import ClusteredBatches, HardClassBatches
from hardneg.ragged import IntArray

__all__ = ["ClusteredSampling", "HardClassSampling"]


class HardClassSampling:
    """Makes :class:`~hardneg.online.batches.HardClassBatches` of ``batch_size // items`` classes by a dataset's labels.

    Args:
        items: examples of each class in a batch.
        encode: from a list of texts to their vectors, before each epoch; random classes meet if not given.
        column: the column to encode; the first one that holds no labels if not given.
    """

    def __init__(
        self, items: int = 4, *, encode: Callable[[list[Any]], Any] | None = None, column: str | None = None
    ) -> None:  # fmt: skip
        require(items >= 1, "items", "at least 1", items)
        self.items = items
        self.sampler: HardClassBatches | None = None
        self._encode, self._column = encode, column

    def __getstate__(self) -> dict[str, Any]:
        """The options alone: trainers pickle their arguments into each checkpoint, where a model has no place."""
        return {"items": self.items, "sampler": None, "_encode": None, "_column": self._column}

    def __call__(
        self, dataset: Any, batch_size: int, drop_last: bool = False, valid_label_columns: Sequence[str] | None = None,  # noqa: ARG002
        generator: Any = None, seed: int = 0,  # noqa: ARG002
    ) -> HardClassBatches:  # fmt: skip
        """The sampler for this dataset. Every batch is full, so ``drop_last`` changes nothing.

        Raises InputError for a dataset without labels, OptionError for a batch that ``items`` do not divide.
        """
        require(batch_size % self.items == 0, "batch_size", f"a multiple of {self.items} items a class", batch_size)
        names = list(dataset.column_names)
        label = next((one for one in valid_label_columns or ["label"] if one in names), None)
        if label is None:
            raise InputError(
                f"The dataset has no column of labels. It has: {', '.join(names)}.",
                remedy=f"Call it one of: {', '.join(valid_label_columns or ['label'])}.",
            )
        texts = next(one for one in names if one != label) if self._column is None else self._column

        def encode(rows: IntArray) -> Any:
            assert self._encode is not None  # noqa: S101 - called only where it is given
            return self._encode(dataset.select(rows.tolist())[texts][:])

        self.sampler = HardClassBatches(
            dataset[label][:], batch_size // self.items, self.items, seed=seed, rank=0, world_size=1,
            encode=None if self._encode is None else encode,
        )  # fmt: skip
        return self.sampler


class ClusteredSampling:
    """Makes :class:`~hardneg.online.batches.ClusteredBatches`.

    Args:
        clusters: the cluster of each row of the dataset, whole numbers.
    """

    def __init__(self, clusters: Any) -> None:
        self.clusters = clusters
        self.sampler: ClusteredBatches | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The options alone, for the checkpoints of trainers."""
        return {"clusters": self.clusters, "sampler": None}

    def __call__(
        self, dataset: Any, batch_size: int, drop_last: bool = False, valid_label_columns: Any = None,  # noqa: ARG002
        generator: Any = None, seed: int = 0,  # noqa: ARG002
    ) -> ClusteredBatches:  # fmt: skip
        """The sampler for this dataset; raises InputError where it has another length than the clusters."""
        if len(dataset) != len(self.clusters):
            raise InputError(f"There are {len(self.clusters)} clusters for {len(dataset)} rows of the dataset.")
        self.sampler = ClusteredBatches(
            self.clusters, batch_size, drop_last=drop_last, seed=seed, rank=0, world_size=1
        )  # fmt: skip
        return self.sampler
