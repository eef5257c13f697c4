"""The same negatives as ``sentence_transformers.util.mine_hard_negatives`` where its rules are sound.

Both sides get the same vectors: theirs through a real SentenceTransformer whose one module looks a word up in a table
of vectors, ours as arrays. The first half of the file says where the two agree, anchor by anchor and in order. The
second half holds one test for each difference: what theirs does, what ours does instead, and why. The same list, as
a table, is in docs/differences.md.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.encode import EmbeddingCache, SentenceTransformers
from hardneg.errors import InputError, OptionError
from hardneg.filters import Known
from hardneg.mining import Settings, mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors

_WHY = "the incumbent's miner needs sentence-transformers and datasets: pip install 'hardneg[text,hf]'"
st = pytest.importorskip("sentence_transformers", reason=_WHY)
datasets = pytest.importorskip("datasets", reason=_WHY)
static = pytest.importorskip("sentence_transformers.sentence_transformer.modules", reason="needs version 6 or newer")
tokenizers = pytest.importorskip("tokenizers", reason=_WHY)

Pairs = list[tuple[str, str]]
Mined = dict[str, list[str]]
Vectors = Mapping[str, Sequence[float] | NDArray[np.floating[Any]]]

SEEDS = range(4)


@dataclass(frozen=True)
class World:
    """Vectors by word, the words that may be mined, and who is positive for whom."""

    vectors: Vectors
    corpus: list[str]
    pairs: Pairs
    texts: Mapping[str, str] | None = None  # what a word says, where that is not the word itself

    @property
    def anchors(self) -> list[str]:
        return list(dict.fromkeys(anchor for anchor, _ in self.pairs))

    @property
    def most_positives(self) -> int:
        return max(len({item for one, item in self.pairs if one == anchor}) for anchor in self.anchors)

    def rows(self, words: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self.vectors[word] for word in words], np.float32)


def world(seed: int, anchors: int = 40, items: int = 400, d: int = 16) -> World:
    """Clustered items; each anchor has one to four positives of one cluster and lies among them."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, d))
    home = rng.integers(0, len(centres), items)
    vectors = {f"d{row}": centres[home[row]] + 0.6 * rng.normal(size=d) for row in range(items)}
    pairs: Pairs = []
    for number in range(anchors):
        near = np.flatnonzero(home == rng.integers(0, len(centres)))
        chosen = rng.choice(near, rng.integers(1, 5), replace=False)
        centre = np.mean([vectors[f"d{row}"] for row in chosen], axis=0)
        vectors[f"q{number}"] = centre + 0.3 * rng.normal(size=d)
        pairs += [(f"q{number}", f"d{row}") for row in chosen]
    return World({k: v.astype(np.float32) for k, v in vectors.items()}, [f"d{row}" for row in range(items)], pairs)


# -- the two sides ---------------------------------------------------------------------------------------------------


def lookup_model(vectors: Vectors, similarity: str = "cosine") -> Any:
    """A real SentenceTransformer that gives each word its vector."""
    words = list(vectors)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, words[0]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    table = np.array([vectors[word] for word in words], np.float32)
    module = static.StaticEmbedding(tokenizer, embedding_weights=table)
    return st.SentenceTransformer(modules=[module], device="cpu", similarity_fn_name=similarity)


def their_rows(given: World, *, similarity: str = "cosine", model: Any = None, **options: Any) -> dict[str, list[Any]]:
    """The columns that the incumbent returns."""
    pairs = datasets.Dataset.from_dict({"anchor": [a for a, _ in given.pairs], "positive": [p for _, p in given.pairs]})
    found: dict[str, list[Any]] = st.util.mine_hard_negatives(
        pairs, model or lookup_model(given.vectors, similarity), corpus=given.corpus, verbose=False, **options
    ).to_dict()
    return found


def theirs(given: World, **options: Any) -> Mined:
    """The incumbent's negatives of each anchor, hardest first."""
    found = their_rows(given, output_format="labeled-list", **options)
    lists = zip(found["anchor"], found["positive"], strict=True)
    return {anchor: documents[1:] for anchor, documents in lists}  # the positive stands first


def our_run(
    given: World, *, k: int = 60, filters: Sequence[Any] = (), n: int = 3, similarity: Any = "cosine", **options: Any
) -> Run:
    texts = given.texts or {}
    anchors, items = (
        Collection.of(words, texts=[texts.get(word, word) for word in words]) for words in (given.anchors, given.corpus)
    )
    positives = Positives.from_pairs(*zip(*given.pairs, strict=True), anchors=anchors, items=items)
    source = Neighbors(given.rows(given.anchors), given.rows(given.corpus), k=k, similarity=similarity)
    options.setdefault("sampler", f"top(n={n})")
    return mine(positives, sources=source, filters=[Known(shared=False), *filters], **options)


def by_anchor(run: Run) -> Mined:
    out: Mined = {}
    for anchor, item in zip(*(run.negatives.column(name).to_pylist() for name in ("anchor", "item")), strict=True):
        out.setdefault(anchor, []).append(item)
    return out


def ours(given: World, **options: Any) -> Mined:
    """Our negatives of each anchor, hardest first."""
    return by_anchor(our_run(given, **options))


def window(given: World, range_max: int) -> dict[str, Any]:
    """Our spelling of their window: ``range_max`` and the most positives of any anchor, counted in raw ranks."""
    width = range_max + given.most_positives
    return {"k": width, "filters": [f"rank(within={width})"]}


def nothing_lost(run: Run) -> None:
    """The ledger closes."""
    account = run.ledger
    parts = ("dropped", "suspect", "kept_not_sampled", "sampled")
    assert account["candidates"] == sum(account[part] for part in parts)


# -- where both agree ------------------------------------------------------------------------------------------------

EQUAL: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"absolute_margin": 0.0}, ["margin(absolute=0)"]),
    ({"absolute_margin": 0.1}, ["margin(absolute=0.1)"]),
    ({"relative_margin": 0.0}, ["margin(relative=0)"]),
    ({"relative_margin": 0.05}, ["margin(relative=0.05)"]),
    ({"relative_margin": 0.4}, ["margin(relative=0.4)"]),
    ({"max_score": 0.7}, ["margin(ceiling=0.7)"]),
    ({"max_score": 0.8, "absolute_margin": 0.05, "relative_margin": 0.1},
     ["margin(ceiling=0.8, absolute=0.05, relative=0.1)"]),
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("settings", "filters"), EQUAL, ids=[", ".join(map(str, one)) or "none" for one, _ in EQUAL])
def test_margins_and_ceilings_select_the_same_negatives_in_the_same_order(
    seed: int, settings: dict[str, Any], filters: list[str]
) -> None:
    given = world(seed)
    equal = window(given, 50)
    found = ours(given, k=equal["k"], filters=[*equal["filters"], *filters], n=5)
    assert found == theirs(given, range_max=50, num_negatives=5, **settings)
    assert found  # there was something to agree on


@pytest.mark.parametrize("use_faiss", [False, True])
@pytest.mark.parametrize("range_max", [5, 20, 200, 600])
def test_the_width_of_the_window_means_the_same(range_max: int, use_faiss: bool) -> None:
    if use_faiss:
        pytest.importorskip("faiss", reason="their other search needs faiss-cpu")
    given = world(7)
    equal = window(given, range_max)
    filters = [*equal["filters"], "margin(relative=0.2)"]
    wanted = theirs(given, range_max=range_max, num_negatives=5, relative_margin=0.2, use_faiss=use_faiss)
    assert ours(given, k=equal["k"], filters=filters, n=5) == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_their_floor_on_scores_cuts_our_list_short(seed: int) -> None:
    # We have no floor on scores: "too easy" is no reason to distrust a candidate. The scores are in the table.
    given = world(seed)
    wanted = theirs(given, range_max=50, num_negatives=30, min_score=0.5)
    run = our_run(given, **window(given, 50), n=30)
    table = run.negatives.select(["anchor", "item", "score"]).to_pylist()
    found: Mined = {}
    for row in table:
        if row["score"] >= 0.5:
            found.setdefault(str(row["anchor"]), []).append(str(row["item"]))
    assert found == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_the_scores_agree_to_single_precision(seed: int) -> None:
    given = world(seed)
    found = their_rows(given, range_max=50, num_negatives=5, output_format="triplet", output_scores=True)
    triplets = zip(found["anchor"], found["negative"], found["scores"], strict=True)
    wanted = {(anchor, negative): scores[1] for anchor, negative, scores in triplets}
    table = our_run(given, **window(given, 50), n=5).negatives.select(["anchor", "item", "score"]).to_pylist()
    assert len(table) == len(wanted)
    for row in table:
        assert row["score"] == pytest.approx(wanted[row["anchor"], row["item"]], abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_triplets_are_our_negatives_once_for_each_positive(seed: int) -> None:
    given = world(seed)
    equal = window(given, 40)
    found = ours(given, k=equal["k"], filters=[*equal["filters"], "margin(relative=0.1)"], n=4)
    rows = their_rows(given, range_max=40, num_negatives=4, relative_margin=0.1, output_format="triplet")
    triplets = list(zip(rows["anchor"], rows["positive"], rows["negative"], strict=True))
    wanted = [(anchor, positive, item) for anchor, positive in given.pairs for item in found.get(anchor, [])]
    assert sorted(triplets) == sorted(wanted)


@pytest.mark.parametrize("seed", SEEDS)
def test_their_n_tuples_are_ours_with_short_anchors_dropped(seed: int) -> None:
    given = world(seed)
    equal = window(given, 12)
    filters = [*equal["filters"], "margin(relative=0.1)"]
    found = ours(given, k=equal["k"], filters=filters, sampler="top(n=8, on_short=drop)")
    rows = their_rows(given, range_max=12, num_negatives=8, relative_margin=0.1, output_format="n-tuple")
    negatives = zip(*(rows[f"negative_{number}"] for number in range(1, 9)), strict=True)
    assert dict(zip(rows["anchor"], map(list, negatives), strict=True)) == found
    assert 0 < len(found) < len(given.anchors)  # some were short, not all


@pytest.mark.parametrize("seed", SEEDS)
def test_their_ranking_with_positives_puts_our_candidates_at_their_raw_ranks(seed: int) -> None:
    given = world(seed)
    rows = their_rows(given, num_negatives=30, include_positives=True, output_format="n-tuple")
    columns = [rows[f"negative_{number}"] for number in range(1, 31)]
    ranking = {anchor: list(row) for anchor, row in zip(rows["anchor"], zip(*columns, strict=True), strict=True)}
    table = our_run(given, k=30).candidates.table.select(["anchor", "item", "rank"]).to_pylist()
    placed = [row for row in table if row["rank"] < 30]
    assert all(ranking[row["anchor"]][row["rank"]] == row["item"] for row in placed)
    # The ranks that no candidate holds are those of the positives.
    positive = {(anchor, item) for anchor, item in given.pairs if item in ranking[anchor]}
    assert len(placed) + len(positive) == 30 * len(given.anchors)


def test_several_positives_of_an_anchor_and_repeated_pairs_count_once_on_both_sides() -> None:
    given = world(3)
    twice = World(given.vectors, given.corpus, [*given.pairs, *given.pairs[::2]])
    settings: dict[str, Any] = {"range_max": 40, "num_negatives": 5, "relative_margin": 0.1}
    equal = window(given, 40)
    found = ours(twice, k=equal["k"], filters=[*equal["filters"], "margin(relative=0.1)"], n=5)
    assert theirs(twice, **settings) == found == theirs(given, **settings)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_relative_margin_is_right_below_zero_too(seed: int) -> None:
    # Older versions of theirs multiplied by (1 - margin), which turns around below zero; fixed since.
    given = world(seed)
    scores = given.rows(given.anchors) @ given.rows(given.corpus).T
    low = np.argsort(scores, axis=1)[:, 80]  # an item that scores below zero, with eighty items below it
    turned = World(given.vectors, given.corpus, [(a, f"d{row}") for a, row in zip(given.anchors, low, strict=True)])
    found = ours(turned, k=400, filters=["margin(relative=0.2)"], n=5)
    assert found == theirs(turned, range_max=399, num_negatives=5, relative_margin=0.2)
    assert found
    run = our_run(turned, k=400, filters=["margin(relative=0.2)"], n=5)
    gaps = run.negatives.select(["score", "positive_score"]).to_pylist()
    assert all(row["score"] <= row["positive_score"] < 0 for row in gaps)


def test_euclidean_similarity_agrees_on_vectors_of_unit_length() -> None:
    given = world(5)
    unit = {word: np.asarray(vector) / np.linalg.norm(vector) for word, vector in given.vectors.items()}
    level = World(unit, given.corpus, given.pairs)
    equal = window(level, 50)
    filters = [*equal["filters"], "margin(relative=0.2)"]
    wanted = theirs(level, similarity="euclidean", range_max=50, num_negatives=5, relative_margin=0.2)
    assert ours(level, k=equal["k"], filters=filters, n=5, similarity="euclidean") == wanted


# -- where ours differs, and why -------------------------------------------------------------------------------------


def france() -> World:
    """A corpus that holds the query itself and a near-copy of its positive."""
    vectors = {
        "question": [1.0, 0.0, 0.0],
        "answer": [0.80, 0.60, 0.0],
        "answer_again": [0.74, 0.66, 0.13],
        "question_again": [1.0, 0.0, 0.0],
        "other": [0.5, 0.0, 0.8],
        "another": [0.4, 0.1, 0.9],
    }
    texts = {
        "question": "What is the capital of France?",
        "question_again": "what is the capital of France",
        "answer": "Paris is the capital of France.",
        "answer_again": "Paris is the capital of France!",
        "other": "Lyon lies on the Rhone.",
        "another": "Berlin lies on the Spree.",
    }
    corpus = [word for word in vectors if word != "question"]
    return World(vectors, corpus, [("question", "answer")], texts)


def test_the_anchor_itself_is_no_negative() -> None:
    # Theirs knows texts only as exact strings, and never compares a query with the corpus.
    given = france()
    assert theirs(given, num_negatives=2)["question"][0] == "question_again"
    same = World(given.vectors, ["question", *given.corpus], given.pairs, given.texts)
    assert "question" in theirs(same, num_negatives=2)["question"]  # to the letter the same text
    run = our_run(same, filters=["duplicates"], n=2)
    assert not {"question", "question_again"} & set(by_anchor(run)["question"])
    assert run.ledger["reasons"]["duplicates.anchor_text"] == 2


def test_a_near_copy_of_the_positive_is_a_suspect_even_below_the_margin() -> None:
    # The copy scores a little less than the positive, so a margin on the anchor's side cannot see it.
    given = france()
    assert theirs(given, num_negatives=2, relative_margin=0.05)["question"][0] == "answer_again"
    by_words = our_run(given, filters=["duplicates", "margin(relative=0.05)"], n=2)
    without_texts = World(given.vectors, given.corpus, given.pairs)
    by_vectors = our_run(without_texts, filters=["duplicates(similarity=0.97)", "margin(relative=0.05)"], n=2)
    assert by_anchor(by_words) == by_anchor(by_vectors) == {"question": ["other", "another"]}
    assert by_words.ledger["reasons"]["duplicates.positive_text"] == 1
    assert by_vectors.ledger["reasons"]["duplicates.near_copy"] == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_ranks_are_skipped_before_the_filters_not_after(seed: int) -> None:
    # Theirs filters, sorts what is left, and then skips range_min of *that*: with a margin it throws good negatives
    # away, and without one it skips further for an anchor whose positives rank high. Ours skips raw ranks.
    given = world(seed)
    equal = window(given, 50)
    margin = [*equal["filters"], "margin(relative=0.1)"]
    kept = ours(given, k=equal["k"], filters=margin, n=50)
    skipping = theirs(given, range_max=50, range_min=10, num_negatives=5, relative_margin=0.1)
    assert skipping == {anchor: items[10:15] for anchor, items in kept.items() if len(items) > 10}

    run = our_run(given, k=equal["k"], filters=["rank(skip=10)", "margin(relative=0.1)"], n=5)
    table = run.candidates.table.select(["anchor", "item", "rank", "reason"]).to_pylist()
    assert all((row["reason"] == "rank.too_early") == (row["rank"] < 10) for row in table)
    for anchor, items in by_anchor(run).items():
        raw = {row["item"]: row["rank"] for row in table if row["anchor"] == anchor}
        assert items == [item for item in kept[anchor] if raw.get(item, 0) >= 10][:5]


def test_skipped_ranks_agree_where_no_positive_ranks_among_them() -> None:
    given = world(2)
    unit = [rows / np.linalg.norm(rows, axis=1)[:, None] for rows in map(given.rows, (given.anchors, given.corpus))]
    ranked = np.argsort(-(unit[0] @ unit[1].T), axis=1)

    def with_positives_at(rank: int) -> World:
        pairs = [(anchor, given.corpus[row]) for anchor, row in zip(given.anchors, ranked[:, rank], strict=True)]
        return World(given.vectors, given.corpus, pairs)

    for rank, skip, agree in ((30, 10, True), (5, 10, False), (5, 11, True)):  # an early positive holds one rank
        placed = with_positives_at(rank)
        found = ours(placed, **(window(placed, 50) | {"filters": [f"rank(skip={skip}, within=51)"]}), n=5)
        assert (found == theirs(placed, range_max=50, range_min=10, num_negatives=5)) == agree


def test_the_window_of_an_anchor_does_not_depend_on_other_anchors() -> None:
    # Theirs fetches range_max and the most positives of *any* anchor, so one anchor with many widens all windows.
    given = world(1)
    greedy = World(given.vectors, given.corpus, [*given.pairs, *(("q0", f"d{row}") for row in range(80))])
    settings: dict[str, Any] = {"range_max": 20, "num_negatives": 20, "relative_margin": 0.1}
    before, after = theirs(given, **settings), theirs(greedy, **settings)
    assert {a: v for a, v in before.items() if a != "q0"} != {a: v for a, v in after.items() if a != "q0"}
    mined = (ours(one, k=24, filters=["margin(relative=0.1)"], n=20) for one in (given, greedy))
    ours_before, ours_after = ({a: v for a, v in one.items() if a != "q0"} for one in mined)
    assert ours_before == ours_after


def test_a_similarity_other_than_cosine_is_used_as_asked() -> None:
    # Theirs always scales vectors to unit length, so a model made for dot products is mined by cosine.
    vectors = {"q": [1.0, 0.0], "p": [1.0, 0.1], "long": [5.0, 5.0], "near": [1.0, 0.3]}
    given = World(vectors, ["p", "long", "near"], [("q", "p")])
    assert theirs(given, similarity="dot", num_negatives=1) == {"q": ["near"]}
    assert ours(given, similarity="dot", n=1) == {"q": ["long"]}


def test_two_engines_give_the_same_answer_under_euclidean_distance() -> None:
    # Theirs with FAISS compares inner products of candidates with (negative) distances of positives: all are "too
    # close". Without FAISS the same call finds some. Ours has one scale for both.
    pytest.importorskip("faiss", reason="their other search needs faiss-cpu")
    given = world(5)
    settings: dict[str, Any] = {"similarity": "euclidean", "range_max": 50, "num_negatives": 3, "relative_margin": 0.1}
    assert theirs(given, **settings)
    assert theirs(given, use_faiss=True, **settings) == {}
    assert ours(given, k=54, filters=["margin(relative=0.1)"], n=3, similarity="euclidean")


def test_equal_scores_stand_in_item_order() -> None:
    # torch.topk promises no order among equals, so theirs may choose others on another machine or another k.
    copies = {f"d{row}": [0.6, 0.8] for row in range(200)}
    given = World({"q": [1.0, 0.0], "p": [0.9, 0.1], **copies}, ["p", *copies], [("q", "p")])
    assert len(theirs(given, num_negatives=5)["q"]) == 5  # five of the copies; which is not said
    for k in (10, 50, 300):
        assert ours(given, k=k, n=5) == {"q": ["d0", "d1", "d2", "d3", "d4"]}


def test_an_anchor_that_comes_up_short_is_reported_never_lost() -> None:
    # A hundred items score above the positive: theirs looks no further and returns no row at all, without a word.
    above = {f"x{row}": [1.0, 0.001 * row] for row in range(100)}
    below = {f"y{row}": [0.01, 1.0 + 0.1 * row] for row in range(100)}
    given = World({"q": [1.0, 0.0], "p": [0.5, 0.866], **above, **below}, ["p", *above, *below], [("q", "p")])
    for form in ("triplet", "n-tuple", "labeled-list"):
        assert not their_rows(given, num_negatives=3, relative_margin=0.05, output_format=form)["anchor"]

    run = our_run(given, k=34, filters=["margin(relative=0.05)"], n=3)
    assert run.manifest["shortage"]["examples"] == [{"anchor": "q", "sampled": 0}]
    assert run.ledger["reasons"] == {"margin.relative": 34}
    nothing_lost(run)
    filled = ours(given, k=34, filters=["margin(relative=0.05)"], sampler="top(n=3, on_short=fill)")
    assert len(filled["q"]) == 3
    assert set(filled["q"]) <= set(below)


def test_random_choices_follow_the_seed_that_was_given() -> None:
    # Theirs draws from Python's global random numbers: no seed to give, and any other user of them changes the result.
    given = world(6)
    settings: dict[str, Any] = {"range_max": 50, "num_negatives": 3, "sampling_strategy": "random"}
    state = random.getstate()
    try:
        random.seed(0)
        first, second = theirs(given, **settings), theirs(given, **settings)
        random.seed(0)
        again = theirs(given, **settings)
    finally:
        random.setstate(state)
    assert first != second
    assert first == again
    mined = [ours(given, k=50, sampler="band(n=3, within=50)", seed=seed) for seed in (0, 0, 1)]
    assert mined[0] == mined[1] != mined[2]


def test_random_choices_come_from_the_same_window() -> None:
    given = world(6)
    kept = ours(given, **window(given, 50), n=50)
    for found in (
        theirs(given, range_max=50, num_negatives=3, sampling_strategy="random"),
        ours(given, **window(given, 50), sampler="band(n=3, within=50)"),
    ):
        assert all(len(set(items)) == 3 and set(items) <= set(kept[anchor]) for anchor, items in found.items())


def test_vectors_that_are_not_numbers_are_refused() -> None:
    # A NaN compares false with every threshold and sorts first: theirs makes it everybody's hardest negative.
    given = world(4)
    broken = World({**given.vectors, "d399": np.full(16, np.nan)}, given.corpus, given.pairs)
    found = theirs(broken, num_negatives=3, relative_margin=0.05)
    assert all(items[0] == "d399" for items in found.values())
    with pytest.raises(InputError, match="NaN"):
        ours(broken)


def test_an_item_without_a_direction_is_no_candidate() -> None:
    # The vector of an empty text is often zero; its cosine is 0 by arithmetic only, which may beat real items.
    given = world(4)
    empty = World({**given.vectors, "d399": np.zeros(16)}, given.corpus, given.pairs)
    assert any("d399" in items for items in theirs(empty, range_max=399, num_negatives=399).values())
    run = our_run(empty, k=400, n=400)
    assert all("d399" not in items for items in by_anchor(run).values())
    assert {"reason": "item_with_zero_vector", "count": 1, "examples": ["d399"]} in run.manifest["skipped"]


def test_items_are_told_apart_by_id_and_copies_leave_a_reason() -> None:
    # Theirs has texts for ids: copies to the letter become one, silently, and other copies take up a place each.
    texts = {"a": "Sync a folder.", "b": "sync a folder", "c": "Sync  a folder!", "p": "Press sync.", "q": "How?"}
    vectors = {"q": [1.0, 0.0], "p": [0.9, 0.1], "a": [0.6, 0.8], "b": [0.6, 0.81], "c": [0.6, 0.82], "e": [0.1, 1.0]}
    given = World(vectors, ["p", "a", "b", "c", "e"], [("q", "p")], texts)
    assert theirs(given, num_negatives=3)["q"] == ["a", "b", "c"]
    run = our_run(given, filters=["duplicates"], n=3)
    assert by_anchor(run) == {"q": ["a", "e"]}
    assert run.ledger["reasons"]["duplicates.repeated_text"] == 2


class _NeverAsked:
    """A cross-encoder that must not be called."""

    def predict(self, pairs: Sequence[tuple[str, str]], **_: Any) -> Any:
        raise AssertionError("it was called")


def test_a_judge_that_would_decide_nothing_is_an_error() -> None:
    # Theirs calls the cross-encoder only next to a margin or a score option, and says nothing where it does not.
    given = world(0)
    assert theirs(given, num_negatives=3, cross_encoder=_NeverAsked()) == theirs(given, num_negatives=3)
    with pytest.raises(OptionError, match="needs 'absolute', 'relative' or 'ceiling'"):
        ours(given, filters=["rescore(some-model)"])


def test_vectors_of_other_weights_are_never_reused(tmp_path: Path) -> None:
    # Theirs keys its cache by the model's name, which is empty for a model from a folder.
    given = world(0)
    rng = np.random.default_rng(9)
    other = World({word: rng.normal(size=16) for word in given.vectors}, given.corpus, given.pairs)
    cached: dict[str, Any] = {"num_negatives": 3, "cache_folder": str(tmp_path / "theirs")}
    stale = [theirs(one, **cached) for one in (given, other)]
    assert stale[0] == stale[1] != theirs(other, num_negatives=3)

    anchors, items = (Collection.of(words, texts=words) for words in (given.anchors, given.corpus))
    positives = Positives.from_pairs(*zip(*given.pairs, strict=True), anchors=anchors, items=items)
    settings = Settings(embeddings=EmbeddingCache(tmp_path / "ours"))
    found = []
    for number, one in itertools.product(range(2), (given, other)):
        folder = tmp_path / f"model-{number}-{one is given}"
        lookup_model(one.vectors).save(str(folder))
        encoder = SentenceTransformers(str(folder), device="cpu")
        found.append(
            by_anchor(
                mine(positives, encoder=encoder, filters=Known(shared=False), sampler="top(n=3)", settings=settings)
            )
        )
    assert found[0] == found[2] == theirs(given, num_negatives=3)
    assert found[1] == found[3] == theirs(other, num_negatives=3)
