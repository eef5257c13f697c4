from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.collection import Collection
from hardneg.encode import EmbeddingCache, Function, Precomputed, WordLlama, aligned, encode_texts, pair_vectors
from hardneg.errors import InputError

ANCHORS = Collection.of(["q1", "q2"], texts=["a fox", "a hen"])
ITEMS = Collection.of([1, 2, 3], texts=["the fox", "the hen", "tax"])


def test_texts_become_vectors_by_position(tmp_path: Path) -> None:
    encoder = WordLlama(64)
    vectors = pair_vectors(encoder, ANCHORS, ITEMS, EmbeddingCache(tmp_path))
    assert vectors.anchors.tobytes() == encode_texts(encoder, ["a fox", "a hen"], "anchor").tobytes()
    assert vectors.items.shape == (3, 64)
    assert vectors.dim == 64


def test_given_vectors_pass_through_when_they_fit() -> None:
    given = Precomputed(np.ones((2, 4), dtype=np.float32), np.ones((3, 4), dtype=np.float32))
    assert pair_vectors(given, ANCHORS, ITEMS) is given
    with pytest.raises(InputError, match="one anchor vector for each id: 3 ids, 2 vectors"):
        pair_vectors(given, ITEMS, ITEMS)
    with pytest.raises(InputError, match="one item vector for each id: 2 ids, 3 vectors"):
        pair_vectors(given, ANCHORS, ANCHORS)


def test_one_collection_on_both_sides_is_encoded_once(recorder: Any) -> None:
    seen = recorder()
    vectors = pair_vectors(Function(call=seen, version="1"), ITEMS, ITEMS)
    assert len(seen.seen) == 3
    assert vectors.items is vectors.anchors
    roles: list[str] = []

    def embed(texts: list[str], role: str) -> list[list[float]]:
        roles.append(role)
        return [[1.0] for _ in texts]

    pair_vectors(Function(call=embed, version="1"), ITEMS, ITEMS)
    assert roles == ["anchor", "item"]


def test_identity_follows_the_numbers() -> None:
    one = Precomputed(np.eye(2), np.ones((3, 2)))  # type: ignore[arg-type]
    same = Precomputed(np.eye(2, dtype=np.float32), np.ones((3, 2), dtype=np.float32))
    other = Precomputed(np.eye(2, dtype=np.float32), np.full((3, 2), 1.0001, np.float32))
    assert one.identity == same.identity != other.identity
    assert (
        Precomputed(np.ones((2, 2), dtype=np.float32), np.ones((3, 2), dtype=np.float32)).identity
        != Precomputed(np.ones((3, 2), dtype=np.float32), np.ones((2, 2), dtype=np.float32)).identity
    )


def test_vectors_that_cannot_be_used() -> None:
    with pytest.raises(InputError, match="anchor vectors have 2 numbers, the item vectors 3"):
        Precomputed(np.ones((2, 2), dtype=np.float32), np.ones((2, 3), dtype=np.float32))
    with pytest.raises(InputError, match="NaN or infinity"):
        Precomputed(np.ones((2, 2), dtype=np.float32), np.full((2, 2), np.inf, np.float32))
    with pytest.raises(InputError, match="have no texts to encode"):
        pair_vectors(WordLlama(64), Collection.of(["a"]), ITEMS)


def test_alignment_by_id() -> None:
    vectors = np.arange(8).reshape(4, 2)
    assert aligned(vectors, ["3", "1", "9", "2"], ITEMS, "item").tolist() == [[2, 3], [6, 7], [0, 1]]
    with pytest.raises(InputError, match=r"1 of the 3 items have no vector \(first: 3\)"):
        aligned(vectors[:2], [1, 2], ITEMS, "item")
    with pytest.raises(InputError, match="2 ids and 4 vectors"):
        aligned(vectors, [1, 2], ITEMS, "item")
