from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from hardneg.errors import MissingExtraError, OptionError
from hardneg.ragged import Ragged
from hardneg.search import Constraints, Unlike
from hardneg.search.usearch import Usearch
from hardneg.similarity import FloatArray, Similarity
from hardneg.testing import check_engine
from hardneg.testing.engines import brute_force

pytest.importorskip("usearch", reason='needs: pip install "hardneg[ann]"')

MEASURED = ("recall_target", "recall", "recall_interval", "recall_anchors", "effort")
CASES = [
    ("cosine", "float32"),
    ("cosine", "float16"),
    ("cosine", "int8"),
    ("dot", "float32"),
    ("euclidean", "float32"),
]


def data(n: int = 20, m: int = 5000, d: int = 12) -> tuple[FloatArray, FloatArray, Constraints]:
    rng = np.random.default_rng(2)
    anchors, items = (rng.normal(size=(count, d)).astype(np.float32) for count in (n, m))
    excluded = Ragged.from_lists([np.sort(rng.choice(m, 50, replace=False)) for _ in range(n)])
    codes = (Unlike(rng.integers(-1, 4, n), rng.integers(-1, 4, m)),)
    return anchors, items, Constraints(excluded, rng.random(m) < 0.1, codes)


def test_what_it_finds_is_right_and_nearly_all() -> None:
    check_engine(Usearch(), recall=0.9)


@pytest.mark.parametrize(("similarity", "precision"), CASES)
def test_it_looks_as_far_as_the_recall_asks(similarity: Similarity, precision: Any) -> None:
    anchors, items, constraints = data()
    wanted = brute_force(anchors, items, 20, similarity, constraints).items
    efforts = []
    for recall in (0.3, 0.95):
        prepared = Usearch(recall, precision, links=4).prepare(anchors, items, 20, similarity, constraints)
        found = prepared(np.arange(20))
        each = found.items.contains(wanted.rows(), wanted.values).reshape(20, 20).mean(axis=1)
        assert found.items.lengths().tolist() == [20] * 20
        assert recall <= each[::2].mean()  # set on these,
        assert prepared.about["recall"] == pytest.approx(each[1::2].mean(), abs=1e-4)  # and measured on these
        efforts.append(prepared.about["effort"])
    assert efforts[0] < efforts[1]


def test_fewer_bits_hold_only_vectors_of_length_one() -> None:
    anchors, items, constraints = data(2, 100)
    with pytest.raises(OptionError, match=r"The 'precision' must be float32 for dot.*Got int8"):
        Usearch(precision="int8").search(anchors, items, 5, "dot", constraints)


def test_one_thread_builds_the_same_graph_every_time() -> None:
    anchors, items, constraints = data(m=2000)
    answers = [Usearch(0.1, links=4).search(anchors, items, 20, "cosine", constraints) for _ in range(3)]
    assert len({tuple(one.items.values.tolist()) for one in answers}) == 1


def test_more_threads_may_build() -> None:
    anchors, items, constraints = data(m=2000)
    prepared = Usearch(0.9, build_threads=2).prepare(anchors, items, 20, "cosine", constraints)
    assert prepared.about["recall"] >= 0.9


def test_the_manifest_learns_what_was_searched() -> None:
    anchors, items, constraints = data(m=2000)
    about = Usearch(0.9).prepare(anchors, items, 5, "dot", constraints).about
    assert set(about) == {*MEASURED, "engine", "precision", "links"}


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    anchors, items, constraints = data(2, 100)
    with pytest.raises(MissingExtraError, match=r'pip install "hardneg\[ann\]"'):
        Usearch().search(anchors, items, 1, "dot", constraints)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recall": 2}, "The 'recall' must be in (0, 1]. Got 2."),
        ({"precision": "int4"}, "The 'precision' must be one of float32, float16, int8. Got int4."),
        ({"links": 1}, "The 'links' must be at least 2. Got 1."),
        ({"build_threads": 0}, "The 'build_threads' must be at least 1. Got 0."),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Usearch(**options)
    assert str(caught.value) == message
