from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.errors import OptionError
from hardneg.filters import Duplicates
from hardneg.filters.duplicates import normalised
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.table import Array, Relation, Rows


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("“Sync”  a folder!", "sync a folder", True),
        ("Straße", "STRASSE", True),
        ("e\u0301te\u0301", "été", True),
        ("ﬁne", "fine", True),
        ("snake_case", "snake case", True),
        ("a b", "ab", False),
        ("1.5", "15", False),
        ("दिन", "दान", False),
        ("กิน", "กัน", False),
        ("दिन!", "“दिन”", True),
        ("हिन्दी में", "हिन्दी  में।", True),
        ("no", "not", False),
    ],
)
def test_texts_are_compared_as_a_reader_would(one: str, other: str, *, same: bool) -> None:
    assert (normalised(one) == normalised(other)) is same


@pytest.mark.parametrize("text", ["", "!?", "❤️", "👍🏽", " \n", "\u0301"])
def test_signs_alone_are_no_text(text: str) -> None:
    assert normalised(text) == ""


def gathered(texts: list[str | None] | None, order: list[int], *, anchor: str | None = "q") -> list[int]:
    items = Collection.of([f"i{row}" for row in range(6)], texts=texts)
    anchors = Collection.of(["a"], texts=pa.array([anchor], pa.string()))
    positives = Positives.from_pairs(["a"], ["i0"], anchors=anchors, items=items)
    rows = Rows(np.zeros(len(order), np.int64), np.array(order))
    found = Duplicates().gather(Context(positives, None))(rows)["copy_of"]
    return found.tolist()  # type: ignore[no-any-return]


def test_copies_of_the_anchor_of_a_positive_and_of_a_harder_candidate() -> None:
    texts: list[str | None] = ["the positive", "The Positive.", "x", "q?", "X!", "y"]
    assert gathered(texts, [1, 2, 3, 4, 5]) == [2, 0, 1, 3, 0]
    assert gathered(texts, [4, 2]) == [0, 3]


@pytest.mark.parametrize("texts", [None, [None] * 6, ["", "  ", "!", "?", "-", "."]])
def test_things_without_a_text_are_copies_of_nothing(texts: list[str | None] | None) -> None:
    assert gathered(texts, [1, 2, 3, 4, 5], anchor=None) == [0] * 5


def test_missing_texts_are_not_the_word_none() -> None:
    assert gathered([None, "None", None, "none", "z", "w"], [1, 2, 3], anchor=None) == [0, 0, 3]


def test_anchors_do_not_disturb_one_another() -> None:
    items = Collection.of(["p", "x", "y"], texts=["same", "same", "same"])
    positives = Positives.from_pairs(["a", "b"], ["p", "y"], items=items)
    rows = Rows(np.array([0, 0, 1, 1]), np.array([1, 2, 0, 1]))
    assert Duplicates().gather(Context(positives, None))(rows)["copy_of"].tolist() == [2, 2, 2, 2]
    free = Positives.from_pairs(["a", "b"], ["q", "r"], items=Collection.of(list("xyqr"), texts=["t", "t", "u", "v"]))
    rows = Rows(np.array([0, 1, 1]), np.array([0, 0, 1]))
    assert Duplicates().gather(Context(free, None))(rows)["copy_of"].tolist() == [0, 0, 3]


def test_near_copies_are_suspect() -> None:
    columns: dict[str, Array] = {
        "copy_of": np.array([0, 0, 2], np.uint8),
        "positive_similarity": np.array([0.97, 0.96, 1], np.float32),
    }
    found = Duplicates(similarity=float(np.float32(0.97))).judge(columns)
    assert found.rule.tolist() == [3, -1, 1]
    assert Duplicates().judge(columns).rule.tolist() == [-1, -1, 1]
    with pytest.raises(OptionError, match="above 0"):
        Duplicates(similarity=0)


def test_a_copy_of_any_member_of_the_class_is_dropped_whichever_are_listed() -> None:
    texts = [f"text {row}" for row in range(40)] + ["Text 7!", "another"]
    labels = ["a"] * 40 + ["b", "b"]
    things = Collection(Collection.of(range(42), texts=texts).table.append_column("label", pa.array(labels)))
    positives = Positives.from_labels(things, listed=2)
    vectors = np.random.default_rng(0).normal(size=(42, 4)).astype(np.float32)
    run = mine(positives, filters="known", encoder=Vectors.of_items(vectors, positives), sampler="top(n=1)")
    rows = run.candidates.table.to_pylist()
    twins = [row for row in rows if row["item"] == 40 or row["item"] == 7]
    assert len(twins) == 42  # the one text for forty anchors, the other for two
    assert {row["reason"] for row in twins} == {"duplicates.positive_text", "duplicates.anchor_text"}
    assert all(row["verdict"] == "keep" for row in rows if row not in twins)


def test_what_is_said_or_written_beside_media_makes_no_copies() -> None:
    table = pa.table(
        {"id": ["p", "x", "y"], "audio": ["1.wav", "2.wav", "3.wav"], "text": ["yes", "yes", "no"],
         "content": ["a" * 32, "b" * 32, "a" * 32]}
    )  # fmt: skip
    positives = Positives.from_pairs(["q"], ["p"], items=Collection(table))
    rows = Rows(np.array([0, 0]), np.array([1, 2]))
    assert Duplicates().gather(Context(positives, None))(rows)["copy_of"].tolist() == [0, 2]


def _repeated(
    order: list[int], vectors: np.ndarray, relation: Sequence[int] | None = None, among: float = 0.9
) -> list[int]:
    """Which of the items, in this order, are near-repeats."""
    everything = np.concatenate([vectors, vectors[:1]])  # the last is the positive, and in no order
    positives = Positives.from_pairs(["a"], [len(vectors)], items=Collection.of(range(len(everything))))
    context = Context(positives, Vectors(vectors[:1], everything))
    known = np.array(relation or [int(Relation.UNKNOWN)] * len(order), np.uint8)
    rows = Rows(np.zeros(len(order), np.int64), np.array(order), {"relation": known})
    step = Duplicates(among=among)
    columns = {**step.gather(context)(rows), "positive_similarity": np.zeros(len(order), np.float32)}
    return [order[row] for row in np.flatnonzero(step.judge(columns).rule == 4)]


def _greedy(order: list[int], vectors: np.ndarray, among: float) -> list[int]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    staying: list[int] = []
    gone = []
    for item in order:
        if any(float(np.float32(unit[item] @ unit[other])) >= among for other in staying):
            gone.append(item)
        else:
            staying.append(item)
    return gone


@pytest.mark.parametrize("seed", range(5))
def test_near_repeats_are_those_of_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, 8))
    vectors = centres[rng.integers(0, 6, 50)] + rng.normal(size=(50, 8)) * rng.choice([0.05, 0.4], (50, 1))
    order = rng.permutation(50).tolist()
    found = _repeated(order, vectors)
    assert found == _greedy(order, vectors, 0.9)
    assert 5 < len(found) < 45


def test_a_repeat_of_what_does_not_stay_is_none() -> None:
    steps = np.deg2rad([0, 20, 40, 60])  # each like the next, and no other: cos 20 is 0.94, cos 40 is 0.77
    vectors = np.stack([np.cos(steps), np.sin(steps)], axis=1)
    assert _repeated([0, 1, 2, 3], vectors) == [1, 3]
    assert _repeated([1, 0, 2, 3], vectors) == [0, 2]
    positive_first: list[int] = [Relation.POSITIVE, *[Relation.UNKNOWN] * 3]
    assert _repeated([0, 1, 2, 3], vectors, positive_first) == [2]  # what is no candidate holds nothing back


def test_one_noise_does_not_fill_a_set_and_a_stored_run_says_the_same() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 16)).astype(np.float32)
    vectors[20:] = vectors[2] + rng.normal(size=(40, 16)).astype(np.float32) * 0.01  # one noise forty times
    positives = Positives.from_pairs([0], [1], items=Collection.of(range(60)))
    options = {"encoder": Vectors(vectors[2:3] + 0.5 * vectors[1:2], vectors), "sampler": "top(n=60)"}
    plain = mine(positives, filters=["known"], **options)  # type: ignore[arg-type]
    assert plain.ledger["sampled"] == 59
    run = mine(positives, filters=["known", "duplicates(among=0.95)"], **options)  # type: ignore[arg-type]
    assert run.ledger["reasons"]["duplicates.near_repeat"] == 40
    dropped = run.candidates.dropped().to_pylist()
    assert all(row["evidence"] == row["repeats:0.95"] >= 0.95 for row in dropped if "near" in row["reason"])
    again = refilter(run, filters=["known", "duplicates(similarity=0.999, among=0.95)"])
    assert again.ledger["reasons"]["duplicates.near_repeat"] == 40
    assert refilter(run, filters=["known"]).ledger["sampled"] == 59
    with pytest.raises(OptionError, match="needs vectors"):
        refilter(run, filters=["known", "duplicates(among=0.9)"])
    with pytest.raises(OptionError, match="above 0"):
        Duplicates(among=0)


def test_nothing_is_near_anything() -> None:
    vectors = np.eye(5, dtype=np.float32)
    judged = Positives.from_pairs(["q"], ["i0"], items=Collection.of([f"i{row}" for row in range(5)]))
    run = mine(
        judged,
        encoder=Vectors(np.ones((1, 5), np.float32), vectors),
        filters=["duplicates(among=0.9)"],
        sampler="top(n=4)",
    )
    assert run.ledger["dropped"] == run.ledger["reasons"].get("known.positive", 0)
    assert len(run.negatives) == 4


def test_many_are_compared_block_by_block() -> None:
    rng = np.random.default_rng(0)
    rows = 2600
    wide = rng.normal(size=(rows, 3)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    score = wide @ wide[0]
    judged = Positives.from_pairs(["q"], [0], items=Collection.of(np.arange(rows)))
    source = f"neighbors(k={rows})"
    run = mine(
        judged, sources=source, encoder=Vectors(wide[:1], wide), filters=["duplicates(among=0.999)"], sampler="top(n=9)"
    )
    stays: list[int] = []
    for row in np.argsort(-score, kind="stable"):
        if row and not any(wide[row] @ wide[one] >= 0.999 for one in stays):
            stays.append(int(row))
    kept = [one["item"] for one in run.candidates.table.to_pylist() if one["verdict"] == "keep"]
    assert len(set(kept) ^ set(stays)) <= 2  # float32 may turn a tie
