"""The data sets: relations and vectors, and the same without what is held out, which is not mined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.labelled.data import Labelled, cad, images, sentences
from benchmarks.texts import Judged, scifact, stackfaq
from benchmarks.verification.data import _codes, _unpacked, characters, faces
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache, encode_sounds, encode_texts, make_encoder
from hardneg.impact.making import tasks_of
from hardneg.impact.task import Kind, Task
from hardneg.positives import Positives

__all__ = ["FOLDS", "SETS", "Set"]

FOLDS = 5

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Set:
    """One data set. ``without`` gives relations and vectors that know nothing of some anchors or items: those to mine.

    ``lots`` numbers what may not be on both sides of a division; None where the relations say it.
    """

    name: str
    kind: Kind
    whole: Positives
    vectors: Vectors
    without: Callable[[Mask], tuple[Positives, Vectors]]
    lots: NDArray[np.int64] | None = None

    def tasks(self, seed: int = 0) -> list[Task]:
        """The divisions: everything is held out in one of them."""
        return tasks_of(self.whole, self.vectors, kind=self.kind, folds=FOLDS, seed=seed, lots=self.lots)


def retrieval(judged: Judged, encoder: str, work: Path) -> Set:
    """Queries of different folds share no positive."""
    cache, step = EmbeddingCache(work / "vectors"), make_encoder(encoder)
    asked = list(judged.positives)
    anchors = Collection.of(asked, texts=[judged.anchors[one] for one in asked])
    items = Collection.of(list(judged.items), texts=list(judged.items.values()))
    left = np.asarray(encode_texts(step, anchors.texts or [], "anchor", cache)[:])
    right = np.asarray(encode_texts(step, items.texts or [], "item", cache)[:])

    def relations(rows: NDArray[np.int64]) -> Positives:
        pairs = [(asked[row], item) for row in rows.tolist() for item in judged.positives[asked[row]]]
        return Positives.from_pairs(*zip(*pairs, strict=True), anchors=anchors.take(rows), items=items)

    def without(held_out: Mask) -> tuple[Positives, Vectors]:
        rows = np.flatnonzero(~held_out)
        return relations(rows), Vectors(left[rows], right)

    whole = relations(np.arange(len(asked)))
    return Set(judged.name, "retrieval", whole, Vectors(left, right), without)


def by_label(
    name: str,
    kind: Kind,
    vectors: NDArray[np.float32],
    labels: Sequence[str],
    lots: NDArray[np.int64] | None = None,
    **columns: Sequence[str],
) -> Set:
    """Labelled items; those held out are barred from mining."""
    items = Collection(pa.table({"id": np.arange(len(labels)), "label": list(labels), **columns}))

    def without(held_out: Mask) -> tuple[Positives, Vectors]:
        made = Positives.from_labels(items, minable=~held_out)
        return made, Vectors.of_items(vectors, made)

    return Set(name, kind, *without(np.zeros(len(labels), bool)), without, lots)


def labelled(data: Labelled, name: str, most: int | None = None, **columns: Sequence[str]) -> Set:
    """A set with splits, which are all one here; of the training split at most so many, drawn evenly."""
    use = np.isin(data.split, ["train", "test", "dev"])
    if most is not None:
        train = np.flatnonzero(data.split == "train")
        use[np.random.default_rng(0).permutation(train)[most:]] = False
    names = [data.names[code] for code in data.labels[use]]
    more = {key: np.array(column)[use].tolist() for key, column in columns.items()}
    return by_label(name, "classification", data.vectors[use], names, **more)


def of_cad(encoder: str, work: Path) -> Set:
    """Pairs of reviews, the second with as few other words as turn its meaning, stay together."""
    train, pairs, texts = cad(encoder, work, "train")
    dev, more_pairs, more_texts = cad(encoder, work, "dev")
    group = [f"t{one}" for one in pairs] + [f"d{one}" for one in more_pairs]
    both = Labelled(
        "cad",
        np.concatenate([train.vectors, dev.vectors]),
        np.concatenate([train.labels, dev.labels]),
        train.names,
        np.concatenate([train.split, dev.split]),
    )
    return labelled(both, "CAD", text=texts + more_texts, group=group)


def apart(name: str, vectors: NDArray[np.float32], codes: NDArray[np.int64], lots: NDArray[np.int64]) -> Set:
    """Identities for verification; those of one lot stay together."""
    return by_label(name, "verification", vectors, codes.astype(str).tolist(), lots)


def sounds(
    folder: str, encoder: str, work: Path, keep: Callable[[dict[str, str]], bool]
) -> tuple[NDArray[np.float32], list[dict[str, str]]]:
    place, rows = _unpacked(folder, "wav.zip", work)
    rows = [row for row in rows if keep(row)]
    files = [str(place / row["path"]) for row in rows]
    return np.asarray(encode_sounds(make_encoder(encoder), files, "item", EmbeddingCache(work / "vectors"))[:]), rows


def words(name: str, folder: str, label: str, work: Path, keep: Callable[[dict[str, str]], bool]) -> Set:
    """Keywords of speakers who are not in training."""
    vectors, rows = sounds(folder, "openwakeword", work, keep)
    speakers = [row["speaker"] for row in rows]
    return by_label(name, "classification", vectors, [row[label] for row in rows], group=speakers)


def fsdd(name: str, label: str, encoder: str, work: Path) -> Set:
    """Six speakers and ten digits; takes of one number are held out together."""
    vectors, rows = sounds("speech_fsdd", encoder, work, lambda row: int(row["take"]) < 15)
    takes = np.array([int(row["take"]) for row in rows])
    return by_label(name, "classification", vectors, [row[label] for row in rows], takes)


def speakers_commands(work: Path) -> Set:
    vectors, rows = sounds("speech_commands_mini", "resemblyzer", work, _every)
    codes = _codes([row["speaker"] for row in rows])
    return apart("Speech Commands speakers", vectors, codes, codes)


def omniglot(work: Path) -> Set:  # noqa: ARG001 - nothing is encoded
    found = characters()
    pixels = found.drawings.reshape(len(found.drawings), -1)
    return apart("Omniglot", pixels, found.codes, found.alphabets)


def orl(encoder: str, work: Path) -> Set:
    found = faces(encoder, work)
    return apart("ORL", found.vectors, found.codes, found.codes)


def _every(row: dict[str, str]) -> bool:  # noqa: ARG001 - one of several conditions
    return True


_EACH = {"train": 200, "test": 100}
SETS: dict[str, Callable[[Path], Set]] = {
    "SciFact": lambda work: retrieval(scifact(), "wordllama", work),
    "StackFAQ": lambda work: retrieval(stackfaq(), "wordllama", work),
    "CAD": lambda work: of_cad("wordllama", work),
    "SST-2": lambda work: labelled(sentences("sst2", "wordllama", work), "SST-2", most=3000),
    "CIFAR-10": lambda work: labelled(images("cifar10", "efficientnet_lite0", work, _EACH), "CIFAR-10"),
    "flowers": lambda work: labelled(images("flowers12", "efficientnet_lite0", work), "flowers"),
    "FSDD speakers": lambda work: fsdd("FSDD speakers", "speaker", "resemblyzer", work),
    "FSDD words": lambda work: fsdd("FSDD words", "digit", "openwakeword", work),
    "Speech Commands words": lambda work: words("Speech Commands words", "speech_commands_mini", "word", work, _every),
    "ORL": lambda work: orl("descriptor", work),
    "Omniglot": omniglot,
    "Speech Commands speakers": speakers_commands,
}
