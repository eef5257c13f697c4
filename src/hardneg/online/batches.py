"""Batches that are hard in themselves: classes that look alike, or what lies in one cluster.

    loader = DataLoader(dataset, batch_sampler=HardClassBatches(labels, classes=16, items=4, encode=vectors_of))

Where the framework shares out the batches of a sampler by itself (accelerate and the trainers of Hugging Face do), give
``rank=0, world_size=1``; in Lightning, turn that off with ``use_distributed_sampler=False``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from hardneg import random
from hardneg.batching import grouped_batches
from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.online._epochs import EpochBatches
from hardneg.online.distributed import device_of_group, from_first, place
from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Exact
from hardneg.similarity import check_vectors

__all__ = ["ClusteredBatches", "HardClassBatches", "class_graph"]

Encode = Callable[[IntArray], Any]


class HardClassBatches(EpochBatches):
    """One class, the ``classes - 1`` that are nearest to it, and ``items`` examples of each (GraphSampler).

    Liao and Shao 2022 (arXiv 2104.01546): before each epoch one example of every class, drawn anew, is encoded, and
    the distances between these say which classes are neighbours. An epoch has a batch for each class, in
    random order, so every class is seen. A class with fewer examples than ``items`` gives each as often as
    the others. Until there are vectors, the neighbours are random classes.

    Args:
        labels: the class of each example: numbers or text, None or NaN for one that is left out (``left_out``).
        classes: in a batch.
        items: examples of each class in a batch.
        encode: called with row numbers, one a class, at each new epoch; gives their vectors, shape ``(classes, d)``:
            an array or a tensor. It is called in all processes, but what process 0 finds holds for all. Without
            it, call :meth:`update` yourself.
        seed: what the draws depend on, besides the epoch.
        rank: the number of this process; asked of ``torch.distributed`` if not given.
        world_size: how many processes there are; likewise.

    Raises:
        InputError: fewer classes than a batch needs.

    >>> sampler = HardClassBatches(["a", "a", "b", "b", "c", "d"], classes=2, items=2)
    >>> sampler.update(np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], np.float32))
    >>> sorted(sorted(batch) for batch in sampler)
    [[0, 1, 2, 3], [0, 1, 2, 3], [4, 4, 5, 5], [4, 4, 5, 5]]
    """

    def __init__(
        self, labels: Any, classes: int = 16, items: int = 4, *, encode: Encode | None = None,
        seed: int = 0, rank: int | None = None, world_size: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(seed, rank, world_size)
        require(classes >= 2, "classes", "at least 2", classes)
        require(items >= 1, "items", "at least 1", items)
        codes = _codes(labels)
        self.left_out = int((codes < 0).sum())
        self._members = Ragged.from_codes(codes).inverted(int(codes.max(initial=-1)) + 1)
        if len(self._members) < classes:
            raise InputError(
                f"A batch needs {classes} classes, and the labels have {len(self._members)}.",
                remedy="Lower 'classes', or give the labels of all examples.",
            )
        self.classes, self.items, self.batch_size = classes, items, classes * items
        self._encode = encode
        self._graph: IntArray | None = None
        self._of: int | None = None  # the epoch that the graph was made for
        self._order()

    @property
    def representatives(self) -> IntArray:
        """The example that stands for each class in this epoch, shape ``(classes,)``: what :meth:`update` wants."""
        return np.array([self._drawn(one, 1)[0] for one in range(len(self._members))])

    def update(self, vectors: Any) -> None:
        """Take these vectors of the :attr:`representatives` for the neighbours of classes, compared by cosine.

        Args:
            vectors: shape ``(classes, d)``, in the order in which classes first occur: an array or a tensor.
        """
        plain = vectors.detach().float().cpu().numpy() if isinstance(vectors, torch.Tensor) else np.asarray(vectors)
        graph = class_graph(plain.astype(np.float32, copy=False), self.classes - 1, rows=len(self._members))
        self._graph, self._of = _of_first(graph), self.epoch

    def set_epoch(self, epoch: int) -> None:
        """Batch anew, with the neighbours as they are now; call it before each epoch, in all processes."""
        super().set_epoch(epoch)
        self._order()
        if self._encode is not None and self._of != epoch:
            self.update(self._encode(self.representatives))

    def state_dict(self, batches: int | None = None) -> dict[str, Any]:
        """See :meth:`EpochBatches.state_dict`; the neighbours are part of it."""
        graph = torch.zeros(0, self.classes - 1) if self._graph is None else torch.from_numpy(self._graph)
        return {**super().state_dict(batches), "graph": graph.long(), "graph_of": self._of}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken, with the neighbours of that time."""
        super().load_state_dict(state)
        graph = state["graph"].cpu().numpy()
        self._graph, self._of = (graph if len(graph) else None), state["graph_of"]
        self._order()

    def _order(self) -> None:
        keys = random.uniform(self.seed, np.array(self.epoch), np.array(0), np.arange(len(self._members)))
        self._heads = np.argsort(keys, kind="stable")

    def _count(self) -> int:
        return len(self._members)

    def _batch(self, number: int) -> list[int]:
        head = int(self._heads[number])
        return [row for one in (head, *self._nearest(head)) for row in self._drawn(int(one), self.items, head)]

    def _nearest(self, head: int) -> IntArray:
        if self._graph is not None:
            nearest: IntArray = self._graph[head]
            return nearest
        keys = random.uniform(self.seed, np.array(self.epoch), np.array(1), np.array(head), np.arange(self._count()))
        keys[head] = np.inf
        order: IntArray = np.argsort(keys, kind="stable")
        return order[: self.classes - 1]

    def _drawn(self, one: int, count: int, head: int = -1) -> list[int]:
        """Examples of a class, for the batch of ``head``."""
        rows = self._members[one]
        order = np.argsort(random.uniform(self.seed, np.array(self.epoch), np.array(2), np.array(head), rows))
        return np.resize(rows[order], count).tolist()

    def _data(self) -> str:
        return fingerprint(self._members.offsets, self._members.values, [self.classes, self.items])


class ClusteredBatches(EpochBatches):
    """Batches from one cluster each, so that in-batch negatives are hard (topic-aware sampling).

    Hofstaetter 2021 (TAS-B, arXiv 2104.06967). Every example comes once in an epoch. A cluster is cut into full
    batches and a rest; rests are packed together, none is torn apart. What has no cluster (-1) is by itself.
    Examples that share a positive meet more often than in random batches: give the loss relations that know them.

    Args:
        clusters: the cluster of each example, whole numbers, such as scikit-learn's ``KMeans`` gives for the queries.
        batch_size: the most examples in a batch.
        drop_last: leave out batches that are not full.
        seed: what is cut where and the order of batches, together with the epoch.
        rank: the number of this process; asked of ``torch.distributed`` if not given.
        world_size: how many processes there are; likewise.

    Raises InputError for no batch at all.

    >>> sorted(sorted(batch) for batch in ClusteredBatches([0, 1, 0, 1, 2], batch_size=2))
    [[0, 2], [1, 3], [4]]
    """

    def __init__(
        self, clusters: Any, batch_size: int, *, drop_last: bool = False, seed: int = 0, rank: int | None = None,
        world_size: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(seed, rank, world_size)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.update(clusters)

    def update(self, clusters: Any) -> None:
        """Take other clusters, such as those of vectors encoded anew; call it between two epochs."""
        codes = np.asarray(clusters)
        if codes.ndim != 1 or codes.dtype.kind not in "iu":
            raise InputError(f"The clusters must be one whole number an example. Got {codes.dtype} {codes.shape}.")
        codes = codes.astype(np.int64)
        alone = codes < 0
        codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
        self._clusters = _of_first(codes)
        self._batches = self._cut()

    def set_epoch(self, epoch: int) -> None:
        """Batch anew; call it before each epoch, in all processes."""
        super().set_epoch(epoch)
        self._batches = self._cut()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken; the clusters must be the same."""
        super().load_state_dict(state)
        self._batches = self._cut()

    def _cut(self) -> list[list[int]]:
        found = list(grouped_batches(self._clusters, self.batch_size, self.seed, np.array(self.epoch)))
        whole = [one for one in found if len(one) == self.batch_size] if self.drop_last else found
        if not whole:
            raise InputError(f"{len(self._clusters)} examples give no batch of {self.batch_size}.")
        return whole

    def _count(self) -> int:
        return len(self._batches)

    def _batch(self, number: int) -> list[int]:
        return self._batches[number]

    def _data(self) -> str:
        return fingerprint(self._clusters, [self.batch_size, self.drop_last])


def class_graph(vectors: Any, nearest: int, *, rows: int | None = None) -> IntArray:
    """The ``nearest`` other classes of each class by the cosine of their vectors, shape ``(classes, nearest)``.

    The nearest come first; ties stand in the order of classes.

    Raises InputError for vectors that are not finite or not one for each of ``rows`` classes.
    """
    checked = check_vectors(vectors, "class", rows=rows)
    count = len(checked)
    itself = Constraints(Ragged.from_codes(np.arange(count)), np.zeros(count, bool))
    return Exact().search(checked, checked, nearest, "cosine", itself).items.values.reshape(count, nearest)


def _codes(labels: Any) -> IntArray:
    """A number for each label in order of first appearance, -1 for none."""
    values = labels.tolist() if isinstance(labels, (np.ndarray, torch.Tensor)) else list(labels)
    try:
        column = pa.array(values, from_pandas=True).dictionary_encode()
    except pa.ArrowException as error:
        raise InputError(f"The labels must be all numbers or all text ({error}).") from None
    return np.asarray(column.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def _of_first(values: IntArray) -> IntArray:
    """What process 0 has: the last bit of a vector may differ from process to process."""
    if place()[1] == 1:
        return values
    found: IntArray = from_first(torch.from_numpy(values).to(device_of_group())).cpu().numpy()
    return found
