"""What a miner is: a rule over blocks of distances, in an index form and in a dense one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from hardneg.errors import InputError
from hardneg.notation import Step, require
from hardneg.online._chunks import chunks
from hardneg.online._distances import Distance, check_finite, distances, ready
from hardneg.online._draws import new_seed, uniform
from hardneg.online.relations import Relations, relations_of

__all__ = ["Batch", "Block", "Indices", "Miner", "joined", "matched", "triplets_of"]

# Numbers of anchors, positives and negatives; of pairs (anchors, positives, anchors, negatives). All int64.
Indices = tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """Some anchors in rows, all references in columns.

    Args:
        start: the number of the first anchor.
        distances: lower is more alike, float32 or float64, shape ``(b, M)``.
        positive: bool, shape ``(b, M)``.
        negative: bool, shape ``(b, M)``.
        width: how many numbers a vector has.
        seed: what random numbers depend on; None where the miner draws none.
        ids: of the anchors, shape ``(b,)``, and of the references, ``(M,)``: draws depend on them instead of the rows.
    """

    start: int
    distances: Tensor
    positive: Tensor
    negative: Tensor
    width: int
    seed: Tensor | None = None
    ids: tuple[Tensor, Tensor] | None = None

    @property
    def to_positives(self) -> Tensor:
        """Distances, with -inf where the reference is no positive."""
        return torch.where(self.positive, self.distances, -torch.inf)

    @property
    def to_negatives(self) -> Tensor:
        """Distances, with inf where the reference is no negative."""
        return torch.where(self.negative, self.distances, torch.inf)

    @property
    def anchors(self) -> Tensor:
        """The numbers of the anchors, shape ``(b, 1)``."""
        return torch.arange(self.start, self.start + len(self.distances), device=self.distances.device)[:, None]

    def uniform(self, stream: int, columns: Tensor) -> Tensor:
        """A random number in (0, 1) for each anchor and column, shape ``(b, K)``; ``stream`` says what it is for."""
        assert self.seed is not None  # noqa: S101 - miners that draw say so
        rows, columns = (self.anchors, columns) if self.ids is None else (self.ids[0][:, None], self.ids[1][columns])
        return uniform(self.seed, stream, rows, columns)


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch and its references, ready to be cut into blocks."""

    left: Tensor
    right: Tensor
    relation: Relations
    distance: Distance
    seed: Tensor | None = None
    ids: tuple[Tensor, Tensor] | None = None

    def block(self, rows: slice) -> Block:
        """The anchors in these rows."""
        positive, negative = self.relation.masks(rows)
        found = distances(self.left, self.right, self.distance, rows)
        ids = None if self.ids is None else (self.ids[0][rows], self.ids[1])
        return Block(rows.start, found, positive, negative, self.left.shape[1], self.seed, ids)

    def blocks(self, mib: int) -> Iterator[Block]:
        """All anchors in blocks that need ``mib`` at most."""
        for rows in chunks(len(self.left), len(self.right), mib):
            yield self.block(rows)

    def whole(self) -> Block:
        """All anchors in one block."""
        return self.block(slice(0, len(self.left)))


@dataclass(frozen=True)
class Miner(Step):
    """Chooses triplets, or pairs, of a batch to train on.

    Call it as miners of pytorch-metric-learning are called; its losses take what it returns. Nothing has a gradient.

    Args:
        distance: ``euclidean``, ``squared``, ``cosine`` or ``dot``.
        normalize: whether vectors are scaled to length 1 first; ``cosine`` always does.
        chunk_mib: memory for distances and what is made of them, in MiB. It changes nothing else.
        generator: what is drawn depends on it alone; PyTorch's own if not given.
    """

    draws: ClassVar[bool] = False  # whether it needs random numbers
    places: ClassVar[int] = 3  # tensors that a call returns: of triplets 3, of pairs 4

    _: KW_ONLY
    distance: Distance = "euclidean"
    normalize: bool = True
    chunk_mib: int = 32
    generator: torch.Generator | None = field(default=None, metadata={"data": True}, compare=False)

    def __post_init__(self) -> None:
        require(self.distance in ("euclidean", "squared", "cosine", "dot"), "distance",
                "euclidean, squared, cosine or dot", self.distance)  # fmt: skip
        require(self.chunk_mib >= 1, "chunk_mib", "at least 1", self.chunk_mib)

    def __call__(
        self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None = None, ref_labels: Any = None
    ) -> Indices:
        """Mine a batch.

        Args:
            embeddings: of the anchors, any float type, shape ``(B, D)``.
            labels: as :func:`hardneg.online.relations_of` takes them, or relations.
            ref_emb: positives and negatives come from here, shape ``(M, D)``; from the batch itself if not given.
            ref_labels: their labels.

        Returns:
            Numbers ``(a, p, n)``, int64, one place for each triplet; for a miner of pairs ``(a1, p, a2, n)``. ``a``
            counts the embeddings, ``p`` and ``n`` the references. All may be empty.

        Raises:
            InputError: NaN, infinity, or shapes that do not fit.
        """
        with torch.no_grad():
            return self.mined(self.batch(embeddings, labels, ref_emb, ref_labels))

    def counts(
        self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None = None, ref_labels: Any = None
    ) -> tuple[Tensor, Tensor]:
        """The dense form: in how many triplets each anchor stands with each positive, and with each negative.

        Both of shape ``(B, M)``, float. For a loss that adds up hinges the gradient is that of ``(positive * d).sum()
        - (negative * d).sum()``. All shapes are known beforehand, so ``torch.compile`` makes one graph of it; it then
        does not look for NaN. It needs memory for some matrices of shape ``(B, M)``.
        """
        with torch.no_grad():
            block = self.batch(embeddings, labels, ref_emb, ref_labels).whole()
            if 0 in block.distances.shape:
                return block.distances, block.distances.clone()
            return self.count(block)

    def sample(self, features: Tensor, labels: Any) -> tuple[Tensor, Tensor, Tensor]:
        """The vectors of anchors, positives and negatives, as miners of open-metric-learning give them."""
        anchors, positives, negatives = triplets_of(self(features, labels))
        return features[anchors], features[positives], features[negatives]

    def batch(self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None, ref_labels: Any) -> Batch:
        """Check both sides and make them ready."""
        relation, refs, own = matched(embeddings, labels, ref_emb, ref_labels)
        unit = self.normalize or self.distance == "cosine"
        left = ready(embeddings, unit=unit)
        right = left if own else ready(refs, unit=unit)
        seed = new_seed(self.generator, left.device) if self.draws else None
        return Batch(left, right, relation, self.distance, seed)

    def mined(self, batch: Batch) -> Indices:
        """All that is chosen of a batch, which may be empty."""
        if 0 in batch.relation.shape:
            return tuple(torch.empty(0, dtype=torch.int64, device=batch.left.device) for _ in range(self.places))
        return self.mine(batch)

    def mine(self, batch: Batch) -> Indices:
        """All that is chosen, block after block."""
        return joined(self.choose(block) for block in batch.blocks(self.chunk_mib))

    @abstractmethod
    def choose(self, block: Block) -> Indices:
        """What is chosen of a block, with the anchors' own numbers."""

    @abstractmethod
    def count(self, block: Block) -> tuple[Tensor, Tensor]:
        """The dense form of the same; see :meth:`counts`."""


def matched(
    embeddings: Tensor, labels: Any, ref_emb: Tensor | None, ref_labels: Any
) -> tuple[Relations, Tensor, bool]:  # fmt: skip
    """The relations of both sides, the references, and whether they are the batch itself.

    Raises InputError for NaN, infinity, or shapes that do not fit.
    """
    own = ref_emb is None or ref_emb is embeddings
    if not own and ref_labels is None and not isinstance(labels, Relations):
        raise InputError("References need labels.", remedy="Give 'ref_labels' too, or relations as 'labels'.")
    relation = relations_of(labels, None if own else ref_labels).to(embeddings.device)
    refs = embeddings if ref_emb is None else ref_emb
    for vectors, what, rows in zip(
        (embeddings, refs), ("embeddings", "reference embeddings"), relation.shape, strict=True
    ):
        if vectors.ndim != 2 or len(vectors) != rows:
            raise InputError(
                f"The {what} must have shape ({rows}, D), as there are labels. Got {tuple(vectors.shape)}."
            )
        check_finite(vectors, what)
    return relation, refs, own


def joined(parts: Iterable[Indices]) -> Indices:
    """Parts one after the other, at least one.

    They are copied into memory that doubles when it is full: small tensors that are kept between large ones that are
    not would leave holes, and a process would grow with the number of blocks.

    >>> first, second = (torch.tensor([1]), torch.tensor([2, 3])), (torch.tensor([4]), torch.tensor([5]))
    >>> [one.tolist() for one in joined([first, second])]
    [[1, 4], [2, 3, 5]]
    """
    stores: list[_Store] = []
    for found in parts:
        stores = stores or [_Store(one.new_empty(_FIRST)) for one in found]
        for store, values in zip(stores, found, strict=True):
            store.add(values)
    return tuple(store.memory[: store.filled] for store in stores)


_FIRST = 4096  # places to begin with


@dataclass
class _Store:
    """Numbers one after the other, in memory that grows."""

    memory: Tensor
    filled: int = 0

    def add(self, values: Tensor) -> None:
        """Put these behind the others."""
        end = self.filled + len(values)
        if end > len(self.memory):
            larger = self.memory.new_empty(max(end, 2 * len(self.memory)))
            larger[: self.filled] = self.memory[: self.filled]
            self.memory = larger
        self.memory[self.filled : end] = values
        self.filled = end


def triplets_of(found: Indices) -> tuple[Tensor, Tensor, Tensor]:
    """Triplets as they are; of pairs every positive one with every negative one of the same anchor.

    >>> a1, p, a2, n = (torch.tensor(one) for one in ([0, 1], [5, 6], [1, 0, 1], [7, 8, 9]))
    >>> [one.tolist() for one in triplets_of((a1, p, a2, n))]
    [[0, 1, 1], [5, 6, 6], [8, 7, 9]]
    """
    if len(found) == 3:
        anchors, positives, negatives = found
        return anchors, positives, negatives
    a1, p, a2, n = found
    order = torch.sort(a2, stable=True).indices
    a2, n = a2[order], n[order]
    starts, ends = torch.searchsorted(a2, a1), torch.searchsorted(a2, a1, right=True)
    many = ends - starts
    first = torch.repeat_interleave(starts - many.cumsum(0) + many, many)
    return (
        torch.repeat_interleave(a1, many),
        torch.repeat_interleave(p, many),
        n[first + torch.arange(len(first), device=n.device)],
    )
