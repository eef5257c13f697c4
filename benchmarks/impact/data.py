"""The data sets: relations and vectors, and what is held out and so not mined either."""

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
from hardneg.impact.task import Kind
from hardneg.positives import Positives
from hardneg.verify import split_apart

__all__ = ["SETS", "Set"]

_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class Set:
    """One data set. ``training`` are the relations that are mined, ``whole`` those that are judged by."""

    name: str
    kind: Kind
    training: Positives
    training_vectors: Vectors
    whole: Positives
    vectors: Vectors
    held_out: NDArray[np.bool_]


def retrieval(judged: Judged, encoder: str, work: Path) -> Set:
    """Queries of parts that share no positive; those held out are not mined."""
    cache, step = EmbeddingCache(work / "vectors"), make_encoder(encoder)
    asked = list(judged.positives)
    anchors = Collection.of(asked, texts=[judged.anchors[one] for one in asked])
    items = Collection.of(list(judged.items), texts=list(judged.items.values()))
    left = np.asarray(encode_texts(step, anchors.texts or [], "anchor", cache)[:])
    right = np.asarray(encode_texts(step, items.texts or [], "item", cache)[:])

    def relations(rows: NDArray[np.int64]) -> Positives:
        pairs = [(asked[row], item) for row in rows.tolist() for item in judged.positives[asked[row]]]
        return Positives.from_pairs(*zip(*pairs, strict=True), anchors=anchors.take(rows), items=items)

    whole = relations(np.arange(len(asked)))
    held_out = split_apart([whole.positive.connected(len(items))], share=_SHARE, seed=0)
    rows = np.flatnonzero(~held_out)
    return Set(
        judged.name, "retrieval", relations(rows), Vectors(left[rows], right), whole, Vectors(left, right), held_out
    )


def by_label(
    name: str,
    kind: Kind,
    vectors: NDArray[np.float32],
    labels: Sequence[str],
    held_out: NDArray[np.bool_],
    **columns: Sequence[str],
) -> Set:
    """Labelled items, those held out barred from mining."""
    items = Collection(pa.table({"id": np.arange(len(labels)), "label": list(labels), **columns}))
    made = Positives.from_labels(items, minable=~held_out)
    both = Vectors.of_items(vectors, made)
    return Set(name, kind, made, both, made, both, held_out)


def labelled(data: Labelled, name: str, test: str, most: int | None = None, **columns: Sequence[str]) -> Set:
    """A set with splits; of the training split at most so many, drawn evenly."""
    use = np.isin(data.split, ["train", test])
    if most is not None:
        train = np.flatnonzero(data.split == "train")
        use[np.random.default_rng(0).permutation(train)[most:]] = False
    names = [data.names[code] for code in data.labels[use]]
    more = {key: np.array(column)[use].tolist() for key, column in columns.items()}
    return by_label(name, "classification", data.vectors[use], names, data.split[use] == test, **more)


def of_cad(encoder: str, work: Path) -> Set:
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
    return labelled(both, "CAD", "dev", text=texts + more_texts, group=group)


def apart(name: str, vectors: NDArray[np.float32], codes: NDArray[np.int64], groups: NDArray[np.int64]) -> Set:
    """Identities for verification; those held out share no group with the others."""
    held_out = split_apart([codes, groups], share=_SHARE, seed=0)
    return by_label(name, "verification", vectors, codes.astype(str).tolist(), held_out)


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
    held_out = split_apart([_codes(speakers)], share=_SHARE, seed=0)
    return by_label(name, "classification", vectors, [row[label] for row in rows], held_out, group=speakers)


def fsdd(name: str, label: str, encoder: str, work: Path) -> Set:
    """Six speakers and ten digits: what is held out are the takes 0 to 4, as the data set says."""
    vectors, rows = sounds("speech_fsdd", encoder, work, lambda row: int(row["take"]) < 15)
    held_out = np.array([int(row["take"]) < 5 for row in rows])
    return by_label(name, "classification", vectors, [row[label] for row in rows], held_out)


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
    "ORL": lambda work: orl("descriptor", work),
    "Speech Commands speakers": speakers_commands,
    "Speech Commands words": lambda work: words("Speech Commands words", "speech_commands_mini", "word", work, _every),
    "flowers": lambda work: labelled(images("flowers12", "efficientnet_lite0", work), "flowers", "test"),
    "StackFAQ": lambda work: retrieval(stackfaq(), "wordllama", work),
    "SciFact": lambda work: retrieval(scifact(), "wordllama", work),
    "CAD": lambda work: of_cad("wordllama", work),
    "SST-2": lambda work: labelled(sentences("sst2", "wordllama", work), "SST-2", "test", most=3000),
    "CIFAR-10": lambda work: labelled(images("cifar10", "efficientnet_lite0", work, _EACH), "CIFAR-10", "test"),
    "FSDD speakers": lambda work: fsdd("FSDD speakers", "speaker", "resemblyzer", work),
    "FSDD words": lambda work: fsdd("FSDD words", "digit", "openwakeword", work),
    "Omniglot": omniglot,
}
