"""Clusters against a plain loop over the labels that scikit-learn gives, and what the manifest says of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import MissingExtraError, OptionError
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.ragged import IntArray
from hardneg.sources import SOURCES, Clusters, _grouping, _within
from hardneg.sources._purity import mixture
from hardneg.stored import Segment, Stored
from hardneg.testing import check_source
from hardneg.testing._world import labelled_world, world

pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')


def blobs(seed: int = 0, n: int = 120, *, spread: float = 0.3) -> tuple[Positives, Vectors]:
    """Items around six points; labels that follow the points for most, two classes mixed around the last two."""
    rng = np.random.default_rng(seed)
    of = np.arange(n) % 6
    vectors = (3 * np.eye(6, 8)[of] + spread * rng.normal(size=(n, 8))).astype(np.float32)
    label = np.where(of < 4, of, 4 + rng.integers(0, 2, n))
    names = [None if row % 17 == 0 else f"c{one}" for row, one in enumerate(label)]
    items = Collection(pa.table({"id": [f"i{row}" for row in range(n)], "label": names}))
    positives = Positives.from_labels(items, listed=3)
    return positives, Vectors(vectors[positives.own], vectors)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return np.asarray(vectors / lengths, np.float32)


def by_hand(context: Context, of_items: IntArray, of_anchors: IntArray, k: int) -> list[tuple[int, int, int]]:
    """(anchor, item, rank): what is in the anchor's cluster and may be had, most similar first."""
    positives, vectors = context.positives, context.vectors(None)
    found = []
    for anchor, cluster in enumerate(of_anchors.tolist()):
        closed = set(positives.excluded(np.array([anchor]))[0].tolist())
        fit = [
            item
            for item, other in enumerate(of_items.tolist())
            if cluster == other >= 0
            and item not in closed
            and not positives.forbids(np.array([anchor]), np.array([item]))[0]
        ]
        scores = vectors.pairs(np.full(len(fit), anchor), np.array(fit, int)).tolist()
        best = sorted(zip(scores, fit, strict=True), key=lambda pair: (-pair[0], pair[1]))[:k]
        found += [(anchor, item, rank) for rank, (_, item) in enumerate(best)]
    return found


def proposed(source: Clusters, context: Context) -> list[tuple[int, int, int]]:
    rows = source.prepare(context)(np.arange(len(context.positives.anchors)))
    return list(zip(rows.anchor.tolist(), rows.item.tolist(), rows["rank"].tolist(), strict=True))


@pytest.mark.parametrize("text", ["clusters(k=5, n=4)", "clusters(k=999, method=hdbscan, min_cluster_size=3)"])
@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
def test_equals_a_loop_over_the_labels_of_scikit_learn(text: str, similarity: str) -> None:
    from sklearn.cluster import HDBSCAN, KMeans

    positives, vectors = blobs()
    positives = positives.barring(["i3", "i44"])
    context = Context(positives, replace(vectors, similarity=similarity), seed=5)  # type: ignore[arg-type]
    rows = np.flatnonzero(~positives.barred)
    points = np.asarray(vectors.items)[rows]
    points = unit(points) if similarity == "cosine" else points
    source = SOURCES.make(text)
    assert isinstance(source, Clusters)
    if source.method == "hdbscan":
        labels = HDBSCAN(min_cluster_size=3, copy=True).fit_predict(points)
        assert (labels >= 0).any()
    else:
        labels = KMeans(4, n_init=1, random_state=5).fit_predict(points)
    of_items = np.full(len(positives.items), -1)
    of_items[rows] = labels
    own = positives.own
    of_anchors = of_items[own]
    if source.method != "hdbscan":  # barred anchors belong to the nearest centre
        model = KMeans(4, n_init=1, random_state=5).fit(points)
        mine = np.asarray(vectors.anchors)
        of_anchors = model.predict(unit(mine) if similarity == "cosine" else mine)
    else:
        known = ~positives.barred[own]
        wanted = [one for one in by_hand(context, of_items, of_anchors, source.k) if known[one[0]]]
        assert [one for one in proposed(source, context) if known[one[0]]] == wanted
        return
    assert proposed(source, context) == by_hand(context, of_items, of_anchors, source.k)


@pytest.mark.parametrize("method", ["kmeans", "minibatch", "hdbscan", "faiss"])
@pytest.mark.parametrize("place", [world, labelled_world])
def test_keeps_the_promises_of_a_source(method: str, place: object) -> None:
    if method == "faiss":
        pytest.importorskip("faiss", reason='needs: pip install "hardneg[ann]"')
    for k in (1, 6):
        check_source(Clusters(k, method=method), place())  # type: ignore[arg-type, operator]
    check_source(Clusters(4, n=3, mixed=0.7), labelled_world())


def test_hdbscan_gives_noise_nothing_and_counts_it() -> None:
    positives, vectors = blobs(spread=0.2)
    lonely = np.asarray(vectors.items).copy()
    lonely[[1, 2]] = -lonely[[1, 2]]  # alone on the other side
    vectors = Vectors(lonely[positives.own], lonely)
    context = Context(positives, vectors)
    rows = Clusters(method="hdbscan", min_cluster_size=6).prepare(context)(np.arange(len(positives.anchors)))
    of_items = context.of_items["cluster"]
    assert of_items[[1, 2]].tolist() == [-1, -1]
    noisy = np.flatnonzero(of_items[positives.own] == -1)
    assert not np.isin(rows.anchor, noisy).any()
    about = context.notes["clusters"]
    assert about["anchors_without"] == {"in_no_cluster": len(noisy)}
    assert about["items_in_none"] == int((of_items == -1).sum())


def test_only_clusters_where_classes_mix() -> None:
    positives, vectors = blobs()
    context = Context(positives, vectors)
    source = Clusters(k=200, n=6, mixed=0.9)
    rows = source.prepare(context)(np.arange(len(positives.anchors)))
    classes = positives.classes
    assert classes is not None
    mix = mixture(context.of_items["cluster"].astype(np.int64), classes)
    cluster = context.of_items["cluster"][positives.own]
    assert set(np.unique(rows.anchor)) == set(np.flatnonzero(mix.purity()[cluster] <= 0.9))
    names = [positives.items.table.column("label")[int(row)].as_py() for row in positives.own[np.unique(rows.anchor)]]
    assert set(names) == {"c4", "c5"}
    told = context.notes["clusters"]
    assert {tuple(sorted(one["labels"])) for one in told["most_mixed"]} == {("c4", "c5")}
    assert told["anchors_without"]["in_purer_clusters"] == len(positives.anchors) - len(np.unique(rows.anchor))


@pytest.mark.parametrize("kind", [np.float16, np.int8])
@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_anchors_that_are_classes_and_numbers_of_other_kinds(kind: type, method: str) -> None:
    positives, vectors = blobs()
    items: NDArray[Any] = (10 * np.asarray(vectors.items)).astype(kind)
    positives = Positives.from_labels(positives.items, anchors="classes")
    context = Context(positives, Vectors(anchors_of(items, positives, "cosine"), items))
    check_source(Clusters(9, method=method), context)  # type: ignore[arg-type]
    assert len(Clusters(9, method=method).prepare(context)(np.arange(6)))  # type: ignore[arg-type]


def test_mixed_needs_labels() -> None:
    with pytest.raises(OptionError, match="needs items with labels"):
        Clusters(mixed=0.5).prepare(world())


def test_the_same_on_one_thread_in_other_blocks_and_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    positives, vectors = blobs(3, 400)
    wanted = proposed(Clusters(5), Context(positives, vectors))
    with threadpool_limits(1):
        assert proposed(Clusters(5), Context(positives, vectors)) == wanted
    monkeypatch.setattr(_grouping, "_BLOCK", 7)
    assert proposed(Clusters(5), Context(positives, vectors)) == wanted
    (tmp_path / "items").write_bytes(np.asarray(vectors.items).tobytes())
    stored = Stored([Segment(tmp_path / "items", 0, 400)], 8, np.float32)
    assert proposed(Clusters(5), Context(positives, Vectors(vectors.anchors, stored))) == wanted


@pytest.mark.parametrize("searched", [0, 60, 10**9])
@pytest.mark.parametrize("place", [world, labelled_world, lambda: Context(*blobs(4))])
def test_searching_a_cluster_and_comparing_each_pair_are_one(
    searched: int, place: Callable[[], Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {k: proposed(Clusters(k, n=4), place()) for k in (2, 50)}
    monkeypatch.setattr(_within, "_SEARCHED", searched)
    for at_once, ahead in ((1, 1), (50, 10)):
        monkeypatch.setattr(_within, "_AT_ONCE", at_once)
        monkeypatch.setattr(_within, "_AHEAD", ahead)
        assert {k: proposed(Clusters(k, n=4), place()) for k in (2, 50)} == wanted
    check_source(Clusters(5, n=3), place())


def test_the_seed_decides_and_a_sample_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    positives, vectors = blobs(3, 400, spread=2.0)
    seeds = [proposed(Clusters(5), Context(positives, vectors, seed)) for seed in (0, 0, 1)]
    assert seeds[0] == seeds[1] != seeds[2]
    monkeypatch.setattr(_grouping, "_LEARN_LEAST", 50)
    monkeypatch.setattr(_grouping, "_LEARN", 5)
    monkeypatch.setattr(_grouping, "_LEARN_DENSE", 60)
    for method, learned in (("kmeans", 5 * 14), ("hdbscan", 60)):
        context = Context(positives, vectors)
        check_source(Clusters(5, method=method), context)  # type: ignore[arg-type]
        assert context.notes["clusters"]["learned_from"] == learned


def test_in_a_run_every_candidate_has_its_cluster_and_quotas_read_it() -> None:
    positives, vectors = blobs(2)
    run = mine(positives, sources=["clusters(k=20, n=5)", "neighbors(k=20)"], encoder=vectors,
               sampler=["top(n=6, on_short=fill)"], filters=["known"])  # fmt: skip
    table = run.candidates.table
    assert table.schema.field("cluster").type == pa.int32()
    of: dict[str, set[int]] = {}
    for item, cluster in zip(table.column("item").to_pylist(), table.column("cluster").to_pylist(), strict=True):
        of.setdefault(item, set()).add(cluster)
    assert all(len(one) == 1 for one in of.values())
    assert run.manifest["clusters"]["number"] == 5
    again = refilter(run, sampler=["top(n=6)", "quotas(per_group=1, group=cluster)"])
    for anchor in again.anchors.ids.to_pylist():
        mine_ = again.negatives.filter(pc.equal(again.negatives.column("anchor").cast(pa.string()), anchor))
        clusters = [next(iter(of[item])) for item in mine_.column("item").to_pylist()]
        assert len(clusters) == len(set(clusters)) > 1


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, extra, method in (("sklearn.cluster", "labels", "kmeans"), ("faiss", "ann", "faiss")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtraError, match=rf"hardneg\[{extra}\]"):
            Clusters(method=method).prepare(Context(*blobs()))  # type: ignore[arg-type]


def test_purity_and_entropy_of_several_labels() -> None:
    table = {"id": list("abcdef"), "label": [["x"], ["x", "y"], ["y"], None, ["z"], ["z"]]}
    positives = Positives.from_labels(Collection(pa.table(table)))
    mix = mixture(np.array([0, 0, 0, 0, 1, -1]), positives.classes)
    assert mix.purity().tolist() == [2 / 3, 1.0]
    assert mix.entropy().tolist() == [1.0, 0.0]  # x and y twice each
    assert (mix.sizes.tolist(), mix.labelled.tolist()) == ([4, 1], [3, 1])


@pytest.mark.parametrize(
    "text",
    ["clusters(k=0)", "clusters(n=0)", "clusters(method=ward)", "clusters(mixed=0)", "clusters(min_cluster_size=1)",
     "clusters(method=hdbscan, n=4)"],
)  # fmt: skip
def test_options_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(OptionError):
        SOURCES.make(text)
