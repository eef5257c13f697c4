"""Other searches, each as its own users would call it, with as many threads as hardneg has."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search.data import Store, label
from benchmarks.search.kit import Floats, Ints, say, timed, use_threads
from hardneg.parallel import threads

EFFORTS = {
    "ivf": (4, 8, 16, 32, 64, 128, 256, 512),
    "hnsw": (64, 128, 256, 512, 1024, 2048),
    "usearch": (64, 128, 256, 512, 1024, 2048),
}
KNOBS = {"ivf": "nprobe", "hnsw": "efSearch", "usearch": "expansion"}
_LEARN = 64  # vectors a cluster that FAISS learns from: a quarter of its own default, and as good here
_BLOCK = 65_536
_STEP = 16_384  # queries that sentence-transformers' miner compares at a time


@dataclass(frozen=True)
class Index:
    """An index of a peer.

    Args:
        name: what it is called in tables.
        seconds: that building it took.
        search: the ids of the ``k`` nearest: ``search(anchors, k, effort)``.
    """

    name: str
    seconds: float
    search: Callable[[Floats, int, int], Ints]


def flat(items: Floats) -> Any:
    """FAISS's index for exact search."""
    import faiss

    use_threads()
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)
    return index


def sklearn_search(items: Floats, k: int) -> Callable[[Floats], Ints]:
    """Euclidean, for which scikit-learn has a quick path; among unit vectors the neighbours are the same."""
    from sklearn.neighbors import NearestNeighbors

    fitted = NearestNeighbors(n_neighbors=k, algorithm="brute", metric="euclidean").fit(items)
    return lambda anchors: np.asarray(fitted.kneighbors(anchors, return_distance=False))


def incumbent_search(items: Floats, k: int) -> Callable[[Floats], Ints]:
    """The search inside sentence-transformers' miner: all products of a batch of queries, then ``torch.topk``."""
    import torch
    from sentence_transformers.util import cos_sim

    use_threads()
    corpus = torch.as_tensor(items)

    def search(anchors: Floats) -> Ints:
        parts = [torch.topk(cos_sim(anchors[at : at + _STEP], corpus), k=k, dim=1)[1]
                 for at in range(0, len(anchors), _STEP)]  # fmt: skip
        return np.asarray(torch.cat(parts).numpy())

    return search


def built(kind: str, items: Floats, store: Store) -> Index:
    """An index over the items, built now or kept in the work folder together with the seconds that building took."""
    file = store.work / f"{store.items_file().stem}-{label(len(items))}-{kind}.index"
    told = file.with_suffix(".json")
    use_threads()
    make, read, search = {"usearch": _usearch(items)}.get(kind) or _faiss(kind, items)
    if not told.is_file():
        say(f"building {kind} over {len(items):,} items")
        seconds, _ = timed(lambda: make(file))
        told.write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
        say(f"{kind}: built in {seconds:.0f} s")
    return Index(name(kind, len(items)), json.loads(told.read_text())["seconds"], search(read(file)))


def name(kind: str, items: int) -> str:
    text = {"ivf": f"FAISS IVF{_clusters(items)},Flat", "hnsw": "FAISS HNSW32", "usearch": "USearch"}
    return text[kind]


def _clusters(items: int) -> int:
    """A power of two near 4 sqrt(n)."""
    return int(2 ** round(math.log2(4 * math.sqrt(items))))


Way = tuple[Callable[[Path], None], Callable[[Path], Any], Callable[[Any], Callable[[Floats, int, int], Ints]]]


def _faiss(kind: str, items: Floats) -> Way:
    import faiss

    def make(file: Path) -> None:
        text = {"ivf": f"IVF{_clusters(len(items))},Flat", "hnsw": "HNSW32"}[kind]
        index = faiss.index_factory(items.shape[1], text, faiss.METRIC_INNER_PRODUCT)
        if kind == "ivf":
            index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _LEARN
            index.train(items)
        for at in range(0, len(items), _BLOCK):
            index.add(items[at : at + _BLOCK])
        faiss.write_index(index, str(file))

    def search(index: Any) -> Callable[[Floats, int, int], Ints]:
        def ask(anchors: Floats, k: int, effort: int) -> Ints:
            faiss.ParameterSpace().set_index_parameter(index, KNOBS[kind], effort)
            return np.asarray(index.search(anchors, k)[1])

        return ask

    return make, lambda file: faiss.read_index(str(file)), search


def _usearch(items: Floats) -> Way:
    """USearch as it comes: 16 links, and the precision that it chooses for this processor."""
    from usearch.index import Index as Graph

    def make(file: Path) -> None:
        graph = Graph(ndim=items.shape[1], metric="ip")
        for at in range(0, len(items), _BLOCK):
            part = items[at : at + _BLOCK]
            graph.add(np.arange(at, at + len(part)), part, threads=threads())
        graph.save(str(file))

    def search(graph: Any) -> Callable[[Floats, int, int], Ints]:
        def ask(anchors: Floats, k: int, effort: int) -> Ints:
            graph.expansion_search = effort
            found = graph.search(anchors, k, threads=threads())
            keys = np.asarray(found.keys).astype(np.int64)
            return np.where(np.arange(k) < np.asarray(found.counts)[:, None], keys, -1)

        return ask

    return make, lambda file: Graph.restore(str(file)), search
