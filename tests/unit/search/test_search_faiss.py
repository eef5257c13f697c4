from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from hardneg.errors import MissingExtraError, OptionError
from hardneg.ragged import Ragged
from hardneg.search import Constraints, Unlike
from hardneg.search.faiss import Faiss
from hardneg.similarity import FloatArray, Similarity
from hardneg.testing import check_engine
from hardneg.testing.engines import brute_force

faiss: Any = pytest.importorskip("faiss", reason='needs: pip install "hardneg[ann]"')
MEASURED = ("recall_target", "recall", "recall_interval", "recall_anchors", "effort")
SIMILARITIES: list[Similarity] = ["cosine", "dot", "euclidean"]


def data(n: int = 20, m: int = 5000, d: int = 12) -> tuple[FloatArray, FloatArray, Constraints]:
    rng = np.random.default_rng(2)
    anchors, items = (rng.normal(size=(count, d)).astype(np.float32) for count in (n, m))
    excluded = Ragged.from_lists([np.sort(rng.choice(m, 50, replace=False)) for _ in range(n)])
    codes = (Unlike(rng.integers(-1, 4, n), rng.integers(-1, 4, m)),)
    return anchors, items, Constraints(excluded, rng.random(m) < 0.1, codes)


def test_a_flat_index_equals_brute_force() -> None:
    check_engine(Faiss())


@pytest.mark.parametrize("index", ["HNSW16", "IVF4,Flat"])
def test_what_other_indexes_find_is_right_and_nearly_all(index: str) -> None:
    check_engine(Faiss(index), recall=0.9)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_flat_index_alone_gives_the_exact_answer(similarity: Similarity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("hardneg.search._overfetch.exhaustive")
    anchors, items, constraints = data()
    found = Faiss().search(anchors, items, 20, similarity, constraints)
    wanted = brute_force(anchors, items, 20, similarity, constraints)
    assert found.items.values.tolist() == wanted.items.values.tolist()
    assert found.scores.tolist() == wanted.scores.tolist()
    assert found.ranks.tolist() == wanted.ranks.tolist()


def test_distances_that_round_to_the_same_tie_in_item_order() -> None:
    anchors = np.array([[3e5, 0.0], [0.0, -7e7]], np.float32)
    items = np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32)
    free = Constraints.none(2, 3000)
    found, wanted = (
        Faiss().search(anchors, items, 9, "euclidean", free),
        brute_force(anchors, items, 9, "euclidean", free),
    )
    assert found.items.values.tolist() == wanted.items.values.tolist()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("index", ["HNSW4", "IVF64,Flat", "IVF64,SQ8"])
def test_it_looks_as_far_as_the_recall_asks(index: str, similarity: Similarity) -> None:
    anchors, items, constraints = data()
    wanted = brute_force(anchors, items, 20, similarity, constraints).items
    efforts = []
    for recall in (0.3, 0.95):
        prepared = Faiss(index, recall).prepare(anchors, items, 20, similarity, constraints)
        found = prepared(np.arange(20))
        each = found.items.contains(wanted.rows(), wanted.values).reshape(20, 20).mean(axis=1)
        assert found.items.lengths().tolist() == [20] * 20
        assert recall <= each[::2].mean()  # set on these,
        assert prepared.about["recall"] == pytest.approx(each[1::2].mean(), abs=1e-4)  # and measured on these
        efforts.append(prepared.about["effort"])
    assert efforts[0] < efforts[1]


@pytest.mark.parametrize("count", [1, 2])
def test_as_many_threads_build_as_asked_and_settings_are_put_back(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    anchors, items, constraints = data(m=2000)
    usual, real, seen = faiss.omp_get_max_threads(), faiss.omp_set_num_threads, []

    def spy(threads: int) -> None:
        seen.append(threads)
        real(threads)

    monkeypatch.setattr(faiss, "omp_set_num_threads", spy)
    prepared = Faiss("HNSW16", 0.9, build_threads=count).prepare(anchors, items, 20, "cosine", constraints)
    assert prepared.about["recall"] >= 0.9
    assert seen == [count, usual]
    assert faiss.omp_get_max_threads() == usual


def test_one_thread_builds_the_same_graph_every_time() -> None:
    anchors, items, constraints = data(m=2000)
    answers = [Faiss("HNSW4", 0.1).search(anchors, items, 20, "cosine", constraints) for _ in range(3)]
    assert len({tuple(one.items.values.tolist()) for one in answers}) == 1


def test_the_manifest_learns_what_was_searched() -> None:
    anchors, items, constraints = data(m=2000)
    about = Faiss("HNSW16", 0.9).prepare(anchors, items, 5, "dot", constraints).about
    assert set(about) == {*MEASURED, "engine", "index"}
    assert dict(Faiss().prepare(anchors, items, 5, "dot", constraints).about) == {"engine": "faiss", "index": "Flat"}


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("Flt", "FAISS cannot make the index 'Flt' of 100 items: could not parse"),
        ("IVF1024,Flat", "FAISS cannot make the index 'IVF1024,Flat' of 100 items: .*fewer clusters than items"),
    ],
)
def test_an_index_that_cannot_be_made(index: str, message: str) -> None:
    anchors, items, _ = data(2, 100)
    with pytest.raises(OptionError, match=message):
        Faiss(index).search(anchors, items, 1, "dot", Constraints.none(2, 100))


def test_an_index_that_finds_too_little() -> None:
    anchors, items, constraints = data()
    with pytest.raises(OptionError, match=r"finds \d+\.\d% of what exact search finds \(10 anchors asked\).*or Flat"):
        Faiss("PCA2,Flat", 0.9).search(anchors, items, 20, "cosine", constraints)


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    anchors, items, constraints = data(2, 100)
    with pytest.raises(MissingExtraError, match=r'pip install "hardneg\[ann\]"'):
        Faiss().search(anchors, items, 1, "dot", constraints)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recall": 2}, "The 'recall' must be in (0, 1]. Got 2."),
        ({"recall": 0}, "The 'recall' must be in (0, 1]. Got 0."),
        ({"build_threads": 0}, "The 'build_threads' must be at least 1. Got 0."),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Faiss(**options)
    assert str(caught.value) == message
