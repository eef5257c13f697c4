from __future__ import annotations

import numpy as np
import pytest
from tests.worlds import scene

from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.errors import InputError, OptionError
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray
from hardneg.sources import SOURCES, KnownNegatives, Lexical, Neighbors, Source, Uniform, Union
from hardneg.sources.uniform import draw
from hardneg.sources.union import fuse
from hardneg.table import Rows


def items_of(rows: Rows, anchor: int = 0) -> list[int]:
    found: list[int] = rows.item[rows.anchor == anchor].tolist()
    return found


class TestLexical:
    """Shared words."""

    @staticmethod
    def found(query: str | None, *texts: str | None, options: str = "lexical(k=9)", positive: str = "i0") -> list[int]:
        items = Collection.of([f"i{row}" for row in range(len(texts))], texts=list(texts))
        anchors = Collection.of(["q"], texts=[query])
        positives = Positives.from_pairs(["q"], [positive], anchors=anchors, items=items)
        return items_of(SOURCES.make(options).prepare(Context(positives, None))(np.array([0])))

    def test_only_what_shares_a_word(self) -> None:
        assert self.found("red fox", "fox", "red fox red fox", "hen", "a RED barn") == [1, 3]

    @pytest.mark.parametrize("query", ["", "zebra", "?!", "a"])
    def test_a_query_without_known_words_finds_nothing(self, query: str) -> None:
        assert self.found(query, "red fox", "fox") == []

    def test_texts_without_any_word(self) -> None:
        assert self.found("red fox", "", "!", "?") == []

    def test_stopwords(self) -> None:
        assert self.found("the fox", "x", "the hen", "fox") == [2, 1]
        assert self.found("the fox", "x", "the hen", "fox", options="lexical(stopwords=english)") == [2]

    def test_ties_stand_in_item_order(self) -> None:
        assert self.found("fox", "hen", "fox", "fox", "fox", options="lexical(k=2)") == [1, 2]

    def test_the_rank_counts_the_positive(self) -> None:
        items = Collection.of(["p", "x"], texts=["fox fox", "fox hen"])
        positives = Positives.from_pairs(["q"], ["p"], anchors=Collection.of(["q"], texts=["fox"]), items=items)
        rows = Lexical().prepare(Context(positives, None))(np.array([0]))
        assert (rows.item.tolist(), rows["rank"].tolist()) == ([1], [1])

    def test_missing_texts_are_an_error(self) -> None:
        with pytest.raises(InputError, match="1 of the items have none"):
            self.found("fox", "fox", None)
        with pytest.raises(InputError, match="1 of the anchors have none"):
            self.found(None, "fox")
        with pytest.raises(InputError, match="'lexical' needs texts"):
            Lexical().prepare(Context(scene(texts=False)[0], None))


def drawn(k: int, anchor: int, excluded: IntArray, barred: BoolArray, seed: int) -> IntArray:
    """What ``draw`` gives where these are ruled out."""
    return draw(k, anchor, lambda items: ~barred[items] & ~np.isin(items, excluded), len(barred), len(excluded), seed)


class TestUniform:
    """Random items."""

    @pytest.mark.parametrize("n", [50, 5000])
    def test_every_item_is_as_likely(self, n: int) -> None:
        excluded, barred = np.array([0, 7]), np.zeros(n, bool)
        barred[[3, n - 1]] = True
        rounds, k = (4000, 5) if n == 50 else (2000, 100)
        counts = np.bincount(
            np.concatenate([drawn(k, anchor, excluded, barred, 0) for anchor in range(rounds)]), minlength=n
        )
        assert (counts[[0, 3, 7, n - 1]] == 0).all()
        fit = np.delete(counts, [0, 3, 7, n - 1])
        expected = rounds * k / (n - 4)
        chi = ((fit - expected) ** 2 / expected).sum()
        assert abs(chi - (n - 5)) < 5 * np.sqrt(2 * (n - 5))

    @pytest.mark.parametrize("n", [30, 3000])
    def test_nearly_everything_barred(self, n: int) -> None:
        barred = np.ones(n, bool)
        barred[[1, 4, 9]] = False
        for k in (1, 2, 3, 8):
            found = drawn(k, 5, np.array([4]), barred, 0).tolist()
            assert len(found) == len(set(found)) == min(k, 2)
            assert set(found) <= {1, 9}

    def test_the_seed_and_the_anchor_decide(self) -> None:
        barred = np.zeros(1000, bool)
        answers = [drawn(5, anchor, np.array([], int), barred, seed).tolist() for seed in (0, 1) for anchor in (0, 1)]
        assert len({tuple(one) for one in answers}) == 4


class TestKnownNegatives:
    """Judged items."""

    def test_all_of_them_hardest_first(self) -> None:
        positives, vectors = scene(5)
        rows = KnownNegatives().prepare(Context(positives, vectors))(np.arange(12))
        for anchor in range(12):
            closed = set(positives.excluded(np.array([anchor]))[0].tolist())
            wanted = [i for i in positives.negative[anchor].tolist() if i not in closed and not positives.barred[i]]
            scores = vectors.pairs(np.full(len(wanted), anchor), np.array(wanted, int)).tolist()
            order = sorted(zip(scores, wanted, strict=True), key=lambda pair: (-pair[0], pair[1]))
            assert items_of(rows, anchor) == [item for _, item in order]


class TestNeighbors:
    """Vectors."""

    def test_both_sides_or_neither(self) -> None:
        with pytest.raises(OptionError, match="both 'anchors' and 'items'"):
            Neighbors(np.ones((1, 1), np.float32))
        with pytest.raises(OptionError, match="left out where vectors are given"):
            Neighbors(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), encoder="wordllama")

    def test_another_encoder_searches_but_does_not_score(self) -> None:
        positives, vectors = scene()
        context = Context(positives, vectors)
        mine = Neighbors(k=5, encoder="wordllama").prepare(context)(np.arange(12))
        other = context.vectors("wordllama")
        assert mine["source_score"].tolist() == other.pairs(mine.anchor, mine.item).tolist()
        assert Neighbors(encoder="wordllama").own_vectors(lambda: vectors) is None


class TestUnion:
    """Several sources."""

    def test_provenance_and_ranks(self) -> None:
        positives, vectors = scene()
        parts: tuple[Source, ...] = (Neighbors(k=8), Lexical(k=8), Uniform(8))
        context = Context(positives, vectors)
        rows = Union(parts).prepare(context)(np.arange(12))
        singles = [part.prepare(context)(np.arange(12)) for part in parts]
        proposed = zip(rows.anchor.tolist(), rows.item.tolist(), strict=True)
        bits = dict(zip(proposed, rows["source"].tolist(), strict=True))
        sets = [set(zip(one.anchor.tolist(), one.item.tolist(), strict=True)) for one in singles]
        assert bits == {pair: sum(1 << i for i, one in enumerate(sets) if pair in one) for pair in set().union(*sets)}
        assert {1, 2, 3} < set(bits.values())
        ranks = np.stack([rows[f"rank_{part.name}"] for part in parts])
        assert (ranks[2] == -1).all()  # what is drawn at random has no rank
        best = np.where(ranks < 0, 10**6, ranks).min(axis=0)
        assert rows["rank"].tolist() == np.where(best == 10**6, -1, best).tolist()
        for part, single in zip(parts[:2], singles[:2], strict=True):
            here = rows[f"rank_{part.name}"] >= 0
            mine = zip(rows.anchor[here], rows.item[here], rows[f"rank_{part.name}"][here], strict=True)
            assert sorted(mine) == sorted(zip(single.anchor, single.item, single["rank"], strict=True))

    def test_equal_sums_tie_in_whatever_order_they_are_added(self) -> None:
        """1/61 + 1/63 + 1/69 is not 1/69 + 1/63 + 1/61 in floating point."""

        def part(item_ranks: dict[int, int]) -> Rows:
            ranks = np.array(list(item_ranks.values()), np.int32)
            return Rows(np.zeros(len(ranks), int), np.array(list(item_ranks)), {"rank": ranks})

        for ranks in [(0, 2, 8), (1, 5, 40), (3, 11, 7), (0, 1, 2), (9, 2, 30)]:
            a, b, c = ranks
            rows = fuse([("x", part({4: a, 3: c})), ("y", part({4: b, 3: b})), ("z", part({4: c, 3: a}))], 60)
            assert rows.item.tolist() == [3, 4]

    def test_sources_need_names_of_their_own(self) -> None:
        with pytest.raises(OptionError, match="different names"):
            Union((Neighbors(k=1), Neighbors(k=2)))
        with pytest.raises(OptionError, match="at least two"):
            Union((Neighbors(k=1),))

    def test_the_first_vectors_that_are_brought_count(self) -> None:
        _, vectors = scene()
        given = Neighbors(vectors.anchors, vectors.items, similarity="dot")
        found = Union((Lexical(), given)).own_vectors(lambda: pytest.fail("there are vectors"))
        assert isinstance(found, Vectors)
        assert found.anchors is vectors.anchors
        assert Union((Lexical(), Uniform())).own_vectors(lambda: vectors) is None


@pytest.mark.parametrize(
    "text",
    ["neighbors(k=0)", "lexical(k=0)", "lexical(b=1.1)", "lexical(k1=-1)", "uniform(k=0)",
     "union([neighbors, lexical], constant=-1)", "neighbors(similarity=manhattan)"],
)  # fmt: skip
def test_options_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(OptionError):
        SOURCES.make(text)
