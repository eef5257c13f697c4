"""Relations against loops over pairs; and what a filter is told of them against the package's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.errors import InputError
from hardneg.table import Relation

torch = pytest.importorskip("torch")

from hardneg.online import Relations, relations_of  # noqa: E402

NUMBERS = st.lists(st.integers(-1, 3), max_size=9)
LISTS = st.lists(st.lists(st.sampled_from("abc"), max_size=3), max_size=9)


def table(relation: Relations) -> dict[tuple[int, int], str]:
    """Positive and negative pairs, row by row and all at once."""
    whole = relation.masks()
    codes = relation.codes()
    for row in range(relation.shape[0]):
        part = relation.masks(slice(row, row + 1))
        assert torch.equal(part.positive[0], whole.positive[row])
        assert torch.equal(part.negative[0], whole.negative[row])
        assert torch.equal(relation.codes(slice(row, row + 1))[0], codes[row])
    assert not (whole.positive & whole.negative).any()
    assert torch.equal(codes == int(Relation.POSITIVE), whole.positive)
    found = {(int(a), int(m)): "positive" for a, m in whole.positive.nonzero()}
    return found | {(int(a), int(m)): "negative" for a, m in whole.negative.nonzero()}


def expected(labels: list[Any], refs: list[Any] | None) -> dict[tuple[int, int], str]:
    own, against = refs is None, labels if refs is None else refs
    sets = [[set(one) if isinstance(one, list) else {one} - {-1, None} for one in side] for side in (labels, against)]
    return {
        (a, m): "positive" if mine & theirs else "negative"
        for a, mine in enumerate(sets[0])
        for m, theirs in enumerate(sets[1])
        if mine and theirs and not (own and a == m)
    }


@settings(max_examples=80, deadline=None)
@given(labels=NUMBERS, refs=st.none() | NUMBERS)
def test_of_one_label(labels: list[int], refs: list[int] | None) -> None:
    left, right = (None if one is None else torch.tensor(one, dtype=torch.int64) for one in (labels, refs))
    assert table(relations_of(left, right)) == expected(labels, refs)


@settings(max_examples=80, deadline=None)
@given(labels=LISTS, refs=LISTS)
def test_of_several_labels_as_lists_and_as_ones_and_zeros(labels: list[Any], refs: list[Any]) -> None:
    if labels and refs:
        assert table(relations_of(labels, refs)) == expected(labels, refs)
        assert table(relations_of(labels)) == expected(labels, None)
    hot = [
        torch.tensor([[int(one in some) for one in "abc"] for some in side]).reshape(-1, 3) for side in (labels, refs)
    ]
    assert table(relations_of(*hot)) == expected(labels, refs)
    assert table(relations_of(hot[0].bool())) == expected(labels, None)


@pytest.mark.parametrize("labels", [["cat", "dog", None, "cat"]])
def test_of_names(labels: list[Any]) -> None:
    assert table(relations_of(labels)) == expected(labels, None)
    assert table(relations_of(labels, ["dog", None])) == expected(labels, ["dog", None])


def test_of_a_matrix() -> None:
    relevance = torch.tensor([[1, 0, -1, 2], [-1, 1, 0, 0]])
    found = Relations.from_relevance(relevance, own=torch.tensor([0, -1]))
    assert table(found) == {(0, 2): "negative", (0, 3): "positive", (1, 0): "negative", (1, 1): "positive"}
    assert found.codes().tolist() == [
        [Relation.SELF, Relation.UNKNOWN, Relation.NEGATIVE, Relation.POSITIVE],
        [Relation.NEGATIVE, Relation.POSITIVE, Relation.UNKNOWN, Relation.UNKNOWN],
    ]
    known = Relations.from_relevance(torch.tensor([[0.5, float("nan"), -1.0]]))
    assert table(known) == {(0, 0): "positive", (0, 2): "negative"}


def test_of_a_matrix_of_what_is_known_to_be_relevant() -> None:
    """Nobody has judged the others, and some are positive for an anchor that shares a positive."""
    relevant = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]).bool()
    codes = Relations.from_relevance(relevant).codes()
    assert codes[0].tolist() == [Relation.POSITIVE, Relation.POSITIVE, Relation.SHARED, Relation.UNKNOWN]
    assert codes[2].tolist() == [Relation.UNKNOWN] * 3 + [Relation.POSITIVE]


def test_groups_and_places() -> None:
    relation = relations_of(torch.tensor([0, 0, 1, 1])).having(torch.tensor([7, 8, 7, -1]))
    assert table(relation) == {
        (0, 1): "positive", (0, 3): "negative", (1, 0): "positive", (1, 2): "negative", (1, 3): "negative",
        (2, 1): "negative", (2, 3): "positive", (3, 0): "negative", (3, 1): "negative", (3, 2): "positive",
    }  # fmt: skip
    assert relation.codes()[0, 2] == Relation.IGNORED
    memory = relations_of(torch.tensor([0, 1]), torch.tensor([1, 0, 0]), own=torch.tensor([2, -1]))
    assert table(memory) == {(0, 0): "negative", (0, 1): "positive", (1, 0): "positive", (1, 1): "negative",
                             (1, 2): "negative"}  # fmt: skip
    assert memory.codes()[0, 2] == Relation.SELF


def test_relations_move_to_another_device() -> None:
    relation = relations_of(["a", "b", "a"]).having(torch.tensor([1, 2, 3])).to("meta")
    assert {one.device.type for one in (*relation.masks(), relation.codes())} == {"meta"}
    known = Relations.from_relevance(torch.eye(2).bool())
    assert known.to("cpu") is known
    assert known.to("meta").codes().device.type == "meta"


def test_pairs_by_position() -> None:
    assert table(Relations.from_pairs(2, 4, start=1)) == {
        (a, m): "positive" if m == a + 1 else "negative" for a in range(2) for m in range(4)
    }
    assert Relations.from_pairs(1, 2).codes().tolist() == [[Relation.POSITIVE, Relation.UNKNOWN]]


def test_large_batches_hold_no_matrix() -> None:
    """A million by a million: only the rows asked for are made."""
    labels = torch.arange(1_000_000) % 1000
    part = relations_of(labels).masks(slice(5, 8))
    assert part.positive.shape == (3, 1_000_000)
    assert part.positive.sum(1).tolist() == [999] * 3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: relations_of(torch.zeros(3)), "whole numbers"),
        (lambda: relations_of(torch.zeros(3, 2).long(), torch.zeros(3).long()), "of both sides"),
        (lambda: relations_of([["a"]], torch.zeros(3).long()), "of one form"),
        (lambda: relations_of(relations_of([1, 2]), [1]), "hold both sides"),
        (lambda: relations_of([1, 2], [1], own=torch.zeros(3)), "a place in 'own'"),
        (lambda: relations_of([1, 2]).having(torch.zeros(3)), "a group for each"),
        (lambda: Relations.from_pairs(3, 2), "as many references"),
        (lambda: Relations.from_relevance(torch.zeros(3)), r"shape \(B, M\)"),
    ],
)
def test_what_does_not_fit_is_said(make: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        make()


def test_a_mining_says_the_same_of_groups() -> None:
    """The rule of hardneg.run.relation_of for labels, on the same items."""
    import pyarrow as pa

    from hardneg.collection import Collection
    from hardneg.positives import Positives
    from hardneg.run import relation_of
    from hardneg.table import Rows

    labels = ["a", "b", "a", None, "b"]
    positives = Positives.from_labels(Collection(pa.table({"id": list(range(5)), "label": labels})))
    anchors, items = (one.ravel() for one in np.meshgrid(np.arange(4), np.arange(5), indexing="ij"))
    theirs = relation_of(positives, Rows(anchors, items)).reshape(4, 5)
    mine = relations_of(labels).codes().numpy()[[0, 1, 2, 4]]
    assert mine.tolist() == theirs.tolist()


def test_references_in_another_order() -> None:
    labels, groups = torch.tensor([0, 0, 1, 1, -1]), torch.tensor([3, 4, 4, 5, -1])
    order = torch.tensor([4, 2, 0, 3, 1])
    whole = relations_of(labels).having(groups)
    multi = Relations.from_relevance(torch.eye(4, dtype=torch.bool), own=torch.tensor([2, -1, 0, 1]))
    for one, place in ((whole, order), (multi, torch.tensor([3, 1, 0, 2]))):
        moved = one.in_order(place)
        assert torch.equal(moved.codes(), one.codes()[:, place])
        for before, after in zip(one.masks(), moved.masks(), strict=True):
            assert torch.equal(after, before[:, place])
