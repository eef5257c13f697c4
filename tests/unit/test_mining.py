"""The requirements on a mining, one test each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import Rude, by_anchor, files, neighbors, of_relation, pairs, scene

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors

EYE = np.eye(4, dtype=np.float32)


def simple(relations: list[tuple[str, str]], items: str, **texts: list[str]) -> Positives:
    return Positives.from_pairs(
        [a for a, _ in relations], [b for _, b in relations], items=Collection.of(list(items), **texts)
    )


class TestWhatIsNoNegative:
    """No mined negative is a known positive, the anchor, or a copy of a positive."""

    @pytest.mark.parametrize("numbers", [True, False])
    def test_even_from_a_source_that_proposes_everything(self, *, numbers: bool) -> None:
        positives, vectors = scene(numbers=numbers)
        run = mine(positives, sources=Rude(), encoder=vectors, filters=[], sampler="top(n=60)")
        found = set(pairs(run.negatives))
        for relation in ("positive", "ignored"):
            assert not found & of_relation(run, relation)
        reasons = run.ledger["reasons"]
        excluded = positives.excluded(np.arange(12))
        closed = len(excluded.values) + 12 * positives.barred.sum() - positives.barred[excluded.values].sum()
        assert reasons["known.positive"] == len(positives.positive.values)
        assert sum(reasons[f"known.{name}"] for name in ("positive", "ignored", "self", "barred")) == closed
        assert run.ledger["candidates"] == 12 * 60

    def test_copies_of_a_positive_and_of_the_anchor(self) -> None:
        items = Collection.of(list("pqrst"), texts=["How to sync?", "how to SYNC", "x", "y", "“q”"])
        judged = Positives.from_pairs(["a"], ["p"], anchors=Collection.of(["a"], texts=["Q"]), items=items)
        vectors = np.ones((5, 3), np.float32) + np.eye(5, 3, dtype=np.float32)
        run = mine(judged, sources=Neighbors(vectors[:1], vectors), filters="duplicates", sampler="top(n=5)")
        assert by_anchor(run.negatives) == {"a": ["r", "s"]} or by_anchor(run.negatives) == {"a": ["s", "r"]}
        assert run.ledger["reasons"] == {"duplicates.anchor_text": 1, "duplicates.positive_text": 1}

    def test_near_copies_are_for_review(self) -> None:
        vectors = np.array([[1, 0], [1, 0.9], [1, 0.901], [1, -1]], np.float32)
        judged = simple([("a", "p")], "pqr")
        run = mine(judged, sources=Neighbors(vectors[:1], vectors[1:]), filters="duplicates(similarity=0.99)")
        assert pairs(run.candidates.suspects()) == [("a", "q")]
        assert pairs(run.negatives) == [("a", "r")]

    def test_random_items_that_fill_up_are_judged_as_well(self) -> None:
        positives, vectors = scene(2)
        run = mine(positives, sources=neighbors(vectors, 3), sampler="top(n=20, on_short=fill)",
                   filters=["duplicates(similarity=0.98)", "margin(relative=0.05)"])  # fmt: skip
        assert "uniform" in set(run.negatives.column("source").to_pylist())
        assert not set(pairs(run.negatives)) & (of_relation(run, "positive") | of_relation(run, "ignored"))
        assert set(pairs(run.negatives)) <= set(pairs(run.candidates.kept()))

    def test_judged_negatives_are_never_suspect(self) -> None:
        positives, vectors = scene(4)
        run = mine(positives, sources=[neighbors(vectors, 60), "known_negatives"], filters="margin(absolute=2)")
        known = of_relation(run, "negative")
        assert pairs(run.negatives)
        assert set(pairs(run.negatives)) <= known
        assert not set(pairs(run.candidates.suspects())) & known
        assert len(run.candidates.suspects()) > 0


class TestConstraintsInTheSearch:
    """As many candidates as were asked for, whenever so many exist."""

    @pytest.mark.parametrize("k", [1, 7, 30, 500])
    def test_every_anchor_gets_k(self, k: int) -> None:
        positives, vectors = scene(6, texts=False)
        run = mine(positives, sources=neighbors(vectors, k), filters=[])
        open_to = (~positives.barred).sum() - np.array(
            [(~positives.barred[one]).sum() for one in (positives.excluded(np.arange(12))[row] for row in range(12))]
        )
        counts = [run.candidates.of(anchor).num_rows for anchor in positives.anchors.ids.to_pylist()]
        assert counts == np.minimum(k, open_to).tolist()
        assert run.ledger["dropped"] == 0

    def test_a_thousand_positives_before_the_first_negative(self) -> None:
        items = [f"p{i}" for i in range(1000)] + ["n0", "n1"]
        vectors = np.ones((1002, 2), np.float32)
        vectors[1000:, 1] = [0.5, 0.6]
        judged = Positives.from_pairs(["a"] * 1000, items[:1000], items=Collection.of(items))
        run = mine(judged, sources=Neighbors(np.ones((1, 2), np.float32), vectors, k=2), filters=[])
        assert pairs(run.negatives) == [("a", "n1"), ("a", "n0")]
        assert run.negatives.column("rank").to_pylist() == [1000, 1001]


class TestAwkwardData:
    """Ties, nothing, one, all the same."""

    def test_ties_stand_in_item_order(self) -> None:
        judged = simple([("a", "z")], "zyxwv")
        run = mine(judged, sources=Neighbors(np.ones((1, 3), np.float32), np.ones((5, 3), np.float32), k=3), filters=[])
        assert pairs(run.negatives) == [("a", "y"), ("a", "x"), ("a", "w")]

    def test_zero_vectors_are_left_out_and_counted(self) -> None:
        judged = simple([("a", "p"), ("b", "p"), ("c", "p")], "pqrs")
        left = np.array([[1, 0], [0, 0], [0, 1]], np.float32)
        right = np.array([[1, 1], [0, 0], [2, 1], [1, 2]], np.float32)
        run = mine(judged, sources=Neighbors(left, right), filters=[])
        assert by_anchor(run.negatives) == {"a": ["r", "s"], "c": ["s", "r"]}
        assert {one["reason"]: one["examples"] for one in run.manifest["skipped"]} == {
            "anchor_with_zero_vector": ["b"],
            "item_with_zero_vector": ["q"],
        }
        by_dot = mine(judged, sources=Neighbors(left, right, similarity="dot"), filters=[])
        assert by_anchor(by_dot.negatives)["b"] == ["q", "r", "s"]

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_numbers_that_are_none_are_refused(self, bad: float) -> None:
        vectors = EYE.copy()
        vectors[2, 1] = bad
        with pytest.raises(InputError, match=r"1 of the 4 item vectors hold NaN or infinity \(first: row 2\)"):
            mine(simple([("a", "p")], "pqrs"), sources=Neighbors(EYE[:1], vectors))

    def test_one_item(self) -> None:
        run = mine(simple([("a", "p")], "p"), sources=Neighbors(EYE[:1], EYE[:1]))
        assert run.ledger["candidates"] == run.negatives.num_rows == len(run.candidates) == 0
        assert run.manifest["shortage"] == {
            "policy": "keep", "anchors": 1, "missing": 8, "without_any": 1, "examples": [{"anchor": "a", "sampled": 0}],
        }  # fmt: skip
        assert refilter(run).ledger == run.ledger
        assert (
            mine(simple([("a", "p")], "p"), sources=Neighbors(EYE[:1], EYE[:1]), sampler="top(on_short=fill)").ledger
            == run.ledger
        )

    def test_an_anchor_whose_every_item_is_positive(self) -> None:
        judged = simple([("a", "p"), ("a", "q"), ("b", "p")], "pq")
        run = mine(judged, sources=Neighbors(EYE[:2], EYE[:2]), filters=[])
        assert pairs(run.candidates.table) == [("b", "q")]
        assert run.ledger["reasons"] == {"known.shared_positive": 1}

    def test_anchors_without_a_positive_are_counted(self) -> None:
        judged = Positives.from_pairs(["a"], ["p"], anchors=Collection.of(["b", "a"]), items=Collection.of(["p", "q"]))
        run = mine(judged, sources=Neighbors(EYE[:2], EYE[:2]), filters=[])
        assert pairs(run.negatives) == [("a", "q")]
        assert run.manifest["skipped"] == [{"reason": "anchor_without_positive", "count": 1, "examples": ["b"]}]

    @pytest.mark.parametrize(
        ("relations", "word"), [([], "No anchor has a positive"), ([("a", "p")], "No item may be mined")]
    )
    def test_nothing_to_do(self, relations: list[tuple[str, str]], word: str) -> None:
        judged = Positives.from_pairs(
            [a for a, _ in relations], [b for _, b in relations],
            anchors=Collection.of(["a"]), items=Collection.of(["p", "q"]),
        )  # fmt: skip
        with pytest.raises(InputError, match=word):
            mine(judged.barring(["p", "q"]), sources=Neighbors(EYE[:1], EYE[:2]))

    def test_vectors_must_fit(self) -> None:
        with pytest.raises(InputError, match="1 ids, 2 vectors"):
            mine(simple([("a", "p")], "pq"), sources=Neighbors(EYE[:2], EYE[:2]))
        with pytest.raises(InputError, match="same encoder"):
            mine(simple([("a", "p")], "pq"), sources=Neighbors(EYE[:1], EYE[:2, :3]))

    def test_numbers_and_text_as_ids_give_the_same(self) -> None:
        (texts, vectors), (numbers, _) = scene(numbers=False), scene(numbers=True)
        one, other = (
            mine(judged, sources=neighbors(vectors), filters="margin(relative=0.1)") for judged in (texts, numbers)
        )
        number = dict(zip(texts.anchors.ids.to_pylist(), numbers.anchors.ids.to_pylist(), strict=True))
        number |= dict(zip(texts.items.ids.to_pylist(), numbers.items.ids.to_pylist(), strict=True))
        assert [(number[a], number[b]) for a, b in pairs(one.negatives)] == pairs(other.negatives)
        assert one.ledger == other.ledger


class TestOrder:
    """A result does not hang on how the data are laid out."""

    def test_anchors_in_another_order_get_the_same_negatives(self) -> None:
        positives, vectors = scene(8)
        back = np.arange(12)[::-1]
        turned = replace(
            positives,
            anchors=positives.anchors.take(back),
            own=positives.own[back],
            **{name: one.take(back) for name, one in positives.lists().items()},  # type: ignore[arg-type]
        )
        for sampler in ("top", "tempered", "band(n=3, within=9)", "uniform"):
            one = mine(positives, sources=neighbors(vectors), filters=[], sampler=sampler)
            other = mine(
                turned, sources=Neighbors(vectors.anchors[back], vectors.items, 20), filters=[], sampler=sampler
            )
            assert by_anchor(one.negatives) == by_anchor(other.negatives)

    def test_negatives_stand_by_anchor_hardest_first(self) -> None:
        positives, vectors = scene(9)
        run = mine(positives, sources=[neighbors(vectors), "uniform"], filters=[], sampler="uniform(n=9)")
        order = {one: row for row, one in enumerate(positives.anchors.ids.to_pylist())}
        rank = {one: row for row, one in enumerate(positives.items.ids.to_pylist())}
        table = run.negatives.to_pylist()
        assert table == sorted(table, key=lambda row: (order[row["anchor"]], -row["score"], rank[row["item"]]))


class TestProvenance:
    """Who proposed what."""

    def test_a_union_names_every_source(self) -> None:
        positives, vectors = scene()
        run = mine(positives, sources=[neighbors(vectors, 15), "lexical(k=15)"], filters=[])
        alone = {
            "neighbors": set(pairs(mine(positives, sources=neighbors(vectors, 15), filters=[]).candidates.table)),
            "lexical": set(
                pairs(mine(positives, sources="lexical(k=15)", encoder=vectors, filters=[]).candidates.table)
            ),
        }
        for row in run.candidates.table.to_pylist():
            pair = (row["anchor"], row["item"])
            assert row["source"] == "+".join(name for name in alone if pair in alone[name])
            for name, theirs in alone.items():
                assert (row[f"rank_{name}"] >= 0) == (pair in theirs)
        assert set(pairs(run.candidates.table)) == set().union(*alone.values())

    def test_score_is_the_primary_similarity_whatever_the_source(self) -> None:
        positives, vectors = scene()
        run = mine(positives, sources=["lexical(k=9)", "uniform(k=9)"], encoder=vectors, filters=[])
        table = run.candidates.table
        rows = positives.anchors.positions(table.column("anchor")), positives.items.positions(table.column("item"))
        assert table.column("score").to_pylist() == vectors.pairs(*rows).tolist()


class TestShortage:
    """keep, fill and drop."""

    @staticmethod
    def mined(policy: str) -> Run:
        positives, vectors = scene(1, 12, 90, texts=False)
        return mine(
            positives, sources=neighbors(vectors, 12), filters="margin(relative=0.05)",
            sampler=["top(n=10, on_short=POLICY)".replace("POLICY", policy), "caps(per_item=4)"],
        )  # fmt: skip

    def test_the_policies_differ_only_in_the_short(self) -> None:
        keep, fill, drop = (by_anchor(self.mined(policy).negatives) for policy in ("keep", "fill", "drop"))
        full = {anchor for anchor, items in keep.items() if len(items) == 10}
        short = set(keep) - full
        assert short
        assert set(drop) == full
        assert all(drop[anchor] == keep[anchor] for anchor in full)
        assert all(set(keep[anchor]) <= set(fill[anchor]) for anchor in short)
        assert all(len(fill[anchor]) == 10 for anchor in fill)

    @pytest.mark.parametrize("policy", ["keep", "fill", "drop"])
    def test_the_manifest_says_who_is_short(self, policy: str) -> None:
        run = self.mined(policy)
        sampled = by_anchor(run.negatives)
        told = run.manifest["shortage"]
        assert told["policy"] == policy
        if policy != "drop":
            lacking = [10 - len(sampled.get(anchor, [])) for anchor in run.anchors.ids.to_pylist()]
            assert told["missing"] == sum(lacking)
            assert told["anchors"] == sum(one > 0 for one in lacking)


class TestSeed:
    """The only source of randomness."""

    def test_the_same_seed_gives_the_same_bytes_and_another_does_not(self, tmp_path: Path) -> None:
        positives, vectors = scene()
        found = []
        for name, seed in (("a", 0), ("b", 0), ("c", 1)):
            run = mine(positives, sources=[neighbors(vectors), "uniform"], filters=["duplicates"],
                       sampler="tempered(n=3)", seed=seed, out=tmp_path / name)  # fmt: skip
            found.append(files(run.path))
        assert found[0] == found[1]
        assert found[0]["negatives.parquet"] != found[2]["negatives.parquet"]

    def test_vectors_may_come_as_the_encoder(self) -> None:
        positives, vectors = scene()
        given = mine(positives, sources="neighbors(k=20)", encoder=Vectors(vectors.anchors, vectors.items), filters=[])
        brought = mine(positives, sources=neighbors(vectors), filters=[])
        assert given.negatives == brought.negatives


class TestJudgingAgain:
    """refilter."""

    def test_no_filters_means_no_filters(self) -> None:
        positives, vectors = scene()
        run = mine(positives, sources=neighbors(vectors), filters="margin(relative=0.5)")
        assert refilter(run, filters=[]).manifest["steps"]["filters"] == ["known", "duplicates"]

    def test_a_source_of_somebody_else_is_found_again(self) -> None:
        positives, vectors = scene()
        run = mine(positives, sources=Rude(), encoder=vectors)
        again = refilter(run)
        assert again.manifest["steps"]["sources"] == ["tests.worlds:Rude"]
        assert again.negatives == run.negatives

    def test_a_source_that_no_text_can_make_is_no_hindrance(self) -> None:
        class Local(Rude):
            """A class that cannot be imported."""

        positives, vectors = scene()
        run = mine(positives, sources=Local(), encoder=vectors)
        assert refilter(run).negatives == run.negatives


def test_random_items_that_fill_up_repeat_no_text() -> None:
    judged = simple([("a", "p")], "pxy", texts=["positive", "same", "same"])
    source = Neighbors(EYE[:1], np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 2, 0, 0]], np.float32), k=1)
    run = mine(judged, sources=source, filters="duplicates", sampler="top(n=2, on_short=fill)")
    assert pairs(run.negatives) == [("a", "x")]
