"""Filters, fusion and BM25 against their formulas, written out as in the papers."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.collection import Collection
from hardneg.context import Context
from hardneg.filters import Margin
from hardneg.positives import Positives
from hardneg.sources import Lexical
from hardneg.sources.union import fuse
from hardneg.table import Rows

SCORES = st.floats(-2, 2, width=32, allow_subnormal=False)


@given(SCORES, SCORES, st.sampled_from([0.0, 0.05, 0.5]))
def test_the_relative_margin_for_any_sign(score: float, positive: float, relative: float) -> None:
    """Clear of the margin means at least a share of the positive's size below it."""
    columns = {"score": np.array([score], np.float32), "positive_min": np.array([positive], np.float32)}
    fired = Margin(relative=relative).judge(columns).rule[0] >= 0
    limit = Fraction(positive) - Fraction(relative) * abs(Fraction(positive))
    if abs(Fraction(score) - limit) > Fraction(1, 10**6):
        assert fired == (Fraction(score) > limit)
    if positive > 0:  # NV-Retriever's "percentage of the positive"
        assert fired == (np.float32(score) > np.float32(positive) - np.float32(relative) * np.float32(positive))


@given(SCORES, SCORES, st.floats(0, 1, width=32))
def test_the_absolute_margin(score: float, positive: float, absolute: float) -> None:
    columns = {"score": np.array([score], np.float32), "positive_min": np.array([positive], np.float32)}
    found = Margin(absolute=absolute).judge(columns)
    limit = Fraction(positive) - Fraction(absolute)
    if abs(Fraction(score) - limit) > Fraction(1, 10**6):
        assert (found.rule[0] == 0) == (Fraction(score) > limit)
    if found.rule[0] == 0:
        assert found.figure[0] == np.float32(score) - np.float32(positive)


RANKINGS = st.lists(st.lists(st.integers(0, 7), unique=True), min_size=2, max_size=4)


@given(RANKINGS, st.sampled_from([0, 1, 60]))
def test_reciprocal_rank_fusion(rankings: list[list[int]], constant: int) -> None:
    """Cormack 2009: the sum of 1 / (k + rank), ranks from 1; ties in item order."""
    parts = [
        (f"s{i}", Rows(np.zeros(len(one), int), np.array(one, int), {"rank": np.arange(len(one), dtype=np.int32)}))
        for i, one in enumerate(rankings)
    ]
    sums: Counter[int] = Counter()
    exact: dict[int, Fraction] = {}
    for one in rankings:
        for place, item in enumerate(one):
            exact[item] = exact.get(item, Fraction(0)) + Fraction(1, constant + place + 1)
            sums[item] += 1
    rows = fuse(parts, constant)
    assert rows.item.tolist() == sorted(exact, key=lambda item: (-exact[item], item))
    best = {item: min(one.index(item) for one in rankings if item in one) for item in exact}
    assert rows["rank"].tolist() == [best[item] for item in rows.item.tolist()]
    assert rows["source_score"].tolist() == pytest.approx([float(exact[item]) for item in rows.item.tolist()], rel=1e-6)


def bm25(query: str, texts: list[str], k1: float, b: float) -> list[float]:
    """BM25 as Lucene computes it (without the constant factor k1 + 1)."""
    documents = [text.lower().split() for text in texts]
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for words in documents:
        counts, score = Counter(words), 0.0
        for term in query.lower().split():
            df = sum(term in other for other in documents)
            if df and counts[term]:
                idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
                score += idf * counts[term] / (counts[term] + k1 * (1 - b + b * len(words) / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (1.2, 0.0), (2.0, 1.0), (0.0, 0.5)])
def test_bm25(k1: float, b: float) -> None:
    rng = np.random.default_rng(0)
    words = ["fox", "hen", "owl", "barn", "tax", "law", "river", "stone", "Cloud"]
    texts = [" ".join(rng.choice(words, int(rng.integers(1, 12)))) for _ in range(60)]
    queries = [" ".join(rng.choice([*words, "unheard"], int(rng.integers(1, 5)))) for _ in range(20)]
    anchors = Collection.of(range(20), texts=queries)
    positives = Positives.from_pairs([0], [0], anchors=anchors, items=Collection.of(range(60), texts=texts))
    rows = Lexical(k=60, k1=k1, b=b).prepare(Context(positives, None))(np.arange(20))
    for anchor, query in enumerate(queries):
        wanted = bm25(query, texts, k1, b)
        here = rows.anchor == anchor
        found = dict(zip(rows.item[here].tolist(), rows["source_score"][here].tolist(), strict=True))
        excluded = {0} if anchor == 0 else set()
        assert set(found) == {item for item, score in enumerate(wanted) if score > 0} - excluded
        assert list(found.values()) == pytest.approx([wanted[item] for item in found], rel=1e-5)
        assert list(found) == sorted(found, key=lambda item: (-found[item], item))
