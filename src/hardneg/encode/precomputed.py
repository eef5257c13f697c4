"""Vectors by position: what a mining works on, whether they were given or encoded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.encode._base import Encoder, Role
from hardneg.encode._identity import fingerprint
from hardneg.encode._resume import Progress
from hardneg.encode.cache import EmbeddingCache
from hardneg.encode.encoding import encode_texts
from hardneg.errors import InputError
from hardneg.similarity import FloatArray, check_vectors

__all__ = ["Precomputed", "aligned", "pair_vectors"]


@dataclass(frozen=True, eq=False)
class Precomputed:
    """One vector for each anchor, ``(n, d)``, and one for each item, ``(m, d)``, in the order of their ids.

    Raises InputError for other shapes, two widths, NaN or infinity.

    >>> vectors = Precomputed(np.eye(2), np.ones((3, 2)))
    >>> vectors.items.dtype, vectors.dim
    (dtype('float32'), 2)
    """

    anchors: FloatArray
    items: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "anchors", check_vectors(np.asarray(self.anchors), "anchor"))
        same = self.items is self.anchors
        items = self.anchors if same else check_vectors(np.asarray(self.items), "item")
        object.__setattr__(self, "items", items)
        if self.anchors.shape[1] != items.shape[1]:
            raise InputError(
                f"The anchor vectors have {self.anchors.shape[1]} numbers, the item vectors {items.shape[1]}.",
                remedy="Encode both with the same model and settings.",
            )

    @property
    def dim(self) -> int:
        """The numbers in a vector."""
        return int(self.anchors.shape[1])

    @cached_property
    def identity(self) -> str:
        """A hash of all the numbers."""
        return fingerprint("precomputed", self.anchors, self.items)


def aligned(vectors: NDArray[np.generic], ids: object, wanted: Collection, what: str) -> NDArray[np.generic]:
    """Bring ``vectors``, shape ``(len(ids), d)``, into the order of a collection. Vectors of other ids are left out.

    Raises InputError where an id has no vector.

    >>> aligned(np.array([[1.0], [2.0]]), ["b", "a"], Collection.of(["a", "b"]), "item").tolist()
    [[2.0], [1.0]]
    """
    given = Collection.of(ids)
    if len(given) != len(vectors):
        raise InputError(f"There are {len(given)} ids and {len(vectors)} vectors for the {what}s.")
    rows = given.positions(wanted.ids)
    if (rows < 0).any():
        lost = np.flatnonzero(rows < 0)
        raise InputError(
            f"{len(lost)} of the {len(wanted)} {what}s have no vector (first: {wanted.ids[int(lost[0])].as_py()!r})."
        )
    return vectors[rows]


def pair_vectors(
    encoder: Encoder | Precomputed,
    anchors: Collection,
    items: Collection,
    cache: EmbeddingCache | None = None,
    progress: Progress | None = None,
) -> Precomputed:
    """The vectors of both sides: encoded from their texts, or those given, once their numbers of rows fit.

    ``progress(done, total)`` counts the anchors first and the items after them.

    Raises InputError for vectors that do not fit the ids, or for things without texts.
    """
    if isinstance(encoder, Precomputed):
        check_vectors(encoder.anchors, "anchor", rows=len(anchors))
        check_vectors(encoder.items, "item", rows=len(items))
        return encoder
    left = _encoded(encoder, anchors, "anchor", cache, progress)
    if anchors is items and encoder.key("anchor") == encoder.key("item") != "":
        return Precomputed(left, left)
    return Precomputed(left, _encoded(encoder, items, "item", cache, progress))


def _encoded(
    encoder: Encoder, things: Collection, role: Role, cache: EmbeddingCache | None, progress: Progress | None
) -> FloatArray:
    if things.texts is None:
        raise InputError(f"The {role}s have no texts to encode.", remedy="Give texts, or precomputed vectors.")
    return encode_texts(encoder, things.texts, role, cache, progress)
