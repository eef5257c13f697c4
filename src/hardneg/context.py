"""What every source and filter may ask: relations, texts, vectors of any encoder, the primary similarity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.encode import (
    EmbeddingCache,
    Encoder,
    Modality,
    PairScoreCache,
    Role,
    content_keys,
    encode_images,
    encode_sounds,
    encode_texts,
    make_encoder,
)
from hardneg.errors import InputError, OptionError
from hardneg.matrix import Reordered, blocks
from hardneg.positives import Positives
from hardneg.predict import LabelErrors, Model, Predictions, label_errors, make_model
from hardneg.progress import Progress, Silent
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray, Matrix, Similarity, check_vectors, pair_scores

if TYPE_CHECKING:
    from hardneg.table import Rows

__all__ = ["REFERENCES", "Context", "Reference", "Vectors", "anchors_of", "clear_of", "encoded", "reference_scores"]

T = TypeVar("T")
Reference = str  # one of REFERENCES
REFERENCES = ("min", "max", "mean")


@dataclass(frozen=True, eq=False)
class Vectors:
    """One vector for each anchor and each item, in memory or on disk, and how to compare them."""

    anchors: Matrix
    items: Matrix
    similarity: Similarity = "cosine"

    def __post_init__(self) -> None:
        if self.anchors.shape[1:] != self.items.shape[1:]:
            raise InputError(
                f"Anchor vectors have shape {self.anchors.shape}, item vectors {self.items.shape}.",
                remedy="Both must come from the same encoder.",
            )

    @classmethod
    def checked(cls, anchors: Matrix, items: Matrix, positives: Positives, similarity: Similarity) -> Vectors:
        """Vectors that fit the positives; raises InputError for NaN or a wrong shape."""
        return cls(
            check_vectors(anchors, "anchor", rows=len(positives.anchors)),
            check_vectors(items, "item", rows=len(positives.items)),
            similarity,
        )

    @classmethod
    def of_items(cls, items: Matrix, positives: Positives, similarity: Similarity = "cosine") -> Vectors:
        """The vectors of labelled items: the anchors are among them, or are the means of classes."""
        return cls(anchors_of(items, positives, similarity), items, similarity)

    def pairs(self, anchors: IntArray, items: IntArray) -> FloatArray:
        """The similarity of each anchor with each item, shape ``(len(anchors),)``."""
        return pair_scores(self.anchors, self.items, anchors, items, self.similarity)

    def item_pairs(self, left: IntArray, right: IntArray) -> FloatArray:
        """The similarity of items with items, shape ``(len(left),)``."""
        return pair_scores(self.items, self.items, left, right, self.similarity)


@dataclass(eq=False)
class Context:
    """One mining's surroundings. Vectors are encoded on first use and kept."""

    positives: Positives
    primary: Vectors | None
    seed: int = 0
    embeddings: EmbeddingCache | None = None
    pair_scores: PairScoreCache | None = None
    progress: Progress = field(default_factory=Silent)
    active: IntArray | None = None  # the anchors that will be mined, rising; None for all
    notes: dict[str, Any] = field(default_factory=dict)  # what steps want the manifest to say
    of_items: dict[str, NDArray[Any]] = field(default_factory=dict)  # what a source knows of each item: a column
    propose: Callable[[IntArray], Rows] | None = None  # what the run's source proposes for some anchors, rising
    hidden: Rows | None = None  # known positives that a filter hid to learn from, with its evidence
    wanted: int = 8  # negatives that each anchor is to get
    _encoded: dict[str, Vectors] = field(default_factory=dict)
    _predicted: dict[str, Predictions] = field(default_factory=dict)
    _doubted: dict[tuple[int, ...], LabelErrors] = field(default_factory=dict)  # by the predictions they come from

    def vectors(self, encoder: str | Encoder | None) -> Vectors:
        """The vectors of an encoder; of None, the primary ones."""
        if encoder is None:
            if self.primary is None:
                raise OptionError("This step needs vectors, and a finished run has none. Run: hardneg mine")
            return self.primary
        step = make_encoder(encoder)
        key = str(step)
        if key not in self._encoded:
            self._encoded[key] = encode_both(step, self.positives, self.embeddings, self.progress)
        return self._encoded[key]

    def classes(self, needed_by: str) -> Classes:
        """The classes of anchors and items, or an error that says who needs them."""
        if self.positives.classes is None:
            raise OptionError(f"'{needed_by}' needs items with labels. Give labelled data: Positives.from_labels(...)")
        return self.positives.classes

    def predictions(self, model: str | Model | None, needed_by: str) -> Predictions:
        """How likely each item is of each class: by a model on the primary vectors.

        Of None the predictions that came with the data, else those of ``logistic``. A model sees the labels of what
        may be mined, and of each of these items only predictions that were made without its label are given. A test
        split is predicted as if it had no labels.
        """
        classes, given = self.classes(needed_by), self.positives.predictions
        if model is None and given is not None:
            self._note("given", given)
            return given
        step = make_model("logistic" if model is None else model)
        key = str(step)
        if key not in self._predicted:
            items = self.positives.items
            groups = items.table.column("group").to_pylist() if "group" in items.table.column_names else None
            seen = classes.items_of(~self.positives.barred)
            with self.progress.stage("predict", len(items), "items") as report:
                found = step.predict(self.vectors(None).items, seen, classes.names, groups, self.seed)
                report(len(items), len(items))
            self._predicted[key] = found
            self._note(key, found)
        return self._predicted[key]

    def label_errors(self, views: Sequence[Predictions], needed_by: str) -> LabelErrors:
        """What predictions of this context say of the labels of what may be mined; worked out once for all filters."""
        key = tuple(id(one) for one in views)
        if key not in self._doubted:
            codes = self.classes(needed_by).items_of(~self.positives.barred)
            self._doubted[key] = label_errors(views, codes)
        return self._doubted[key]

    def _note(self, model: str, found: Predictions) -> None:
        """Say once what the predictions say of themselves; a model too weak to mine with is said aloud."""
        noted = self.notes.setdefault("predictions", {})
        if model not in noted:
            noted[model] = dict(found.about)
            for warning in found.about.get("warnings", []):  # type: ignore[attr-defined]
                self.progress.say(f"{model}: {warning}")

    def anchor_texts(self, needed_by: str) -> Sequence[str]:
        """The anchors' texts, or an error that says who needs them."""
        return _texts(self.positives.anchors.texts, "anchors", needed_by)

    def item_texts(self, needed_by: str) -> Sequence[str]:
        """The items' texts, or an error that says who needs them."""
        return _texts(self.positives.items.texts, "items", needed_by)


def encode_both(
    encoder: Encoder,
    positives: Positives,
    cache: EmbeddingCache | None,
    progress: Progress,
    similarity: Similarity = "cosine",
) -> Vectors:
    """Encode the anchors and the items of a mining; labelled items, or classes of them, are encoded once."""
    items = encoded(encoder, positives.items, "item", cache, progress)
    if positives.classes is not None:
        anchors = anchors_of(items, positives, similarity)
    else:
        anchors = encoded(encoder, positives.anchors, "anchor", cache, progress)
    return Vectors.checked(anchors, items, positives, similarity)


def anchors_of(items: Matrix, positives: Positives, similarity: Similarity) -> Matrix:
    """The vectors of anchors that are among the items, or classes of them: a class is the mean of its members.

    Under cosine each member counts with its direction alone (a nearest-centroid classifier's prototypes).
    """
    classes = positives.classes
    if classes is None or classes.kind == "items":
        own = positives.own
        return items[own] if isinstance(items, np.ndarray) else Reordered(items, own)
    members = positives.positive.inverted(len(positives.items))
    sums = np.zeros((len(positives.anchors), items.shape[1]))
    for start, block in blocks(items):
        rows = block.astype(np.float64)
        if similarity == "cosine":
            lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
            rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        of = members.take(np.arange(start, start + len(rows)))
        for anchor, row in zip(of.values.tolist(), of.rows().tolist(), strict=True):  # ten times as fast as np.add.at
            sums[anchor] += rows[row]
    counts = positives.positive.lengths()[:, None]
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0).astype(np.float32)


def encoded(
    encoder: Encoder, things: Collection, role: Role, cache: EmbeddingCache | None, progress: Progress
) -> Matrix:
    """The vectors of things: of what the encoder reads, or of the only thing that there is.

    Raises InputError for things that lack what the encoder reads, OptionError for an encoder of anything else.
    """
    reads = encoder.modality if _there(things, encoder.modality) else _only(things)
    if reads == "audio":
        sounds = _complete(things.sounds, "sounds", f"{role}s", str(encoder))
        with progress.stage(f"encode {role}s", len(sounds), "sounds") as report:
            return encode_sounds(encoder, sounds, role, cache, report, _keys_of(things))
    if reads == "image":
        pictures = _complete(things.looked_at, "pictures", f"{role}s", str(encoder))
        with progress.stage(f"encode {role}s", len(pictures), "images") as report:
            return encode_images(encoder, pictures, role, cache, report, _keys_of(things))
    texts = _texts(things.texts, f"{role}s", str(encoder))
    with progress.stage(f"encode {role}s", len(texts), "texts") as report:
        return encode_texts(encoder, texts, role, cache, report)


def _there(things: Collection, modality: Modality) -> bool:
    held = {"text": things.texts, "image": things.pictures, "audio": things.sounds}
    return held[modality] is not None


def _only(things: Collection) -> Modality:
    """What there is of things instead; the encoder's error says then that it reads something else."""
    return "audio" if things.sounds is not None else "image" if things.pictures is not None else "text"


def _keys_of(things: Collection) -> NDArray[np.uint64] | None:
    """The keys of the files' content where reading has worked them out, so that no file is read twice for them."""
    if "content" not in things.table.column_names:
        return None
    texts = things.table.column("content").to_pylist()
    if not all(isinstance(one, str) and len(one) == 32 for one in texts):
        return None
    return content_keys(texts)


def reference_scores(
    positives: Ragged, score: Callable[[IntArray, IntArray], FloatArray]
) -> dict[Reference, FloatArray]:
    """For each anchor the lowest, highest and mean score of its positives; NaN where it has none.

    >>> lists = Ragged.from_lists([[0, 1], []])
    >>> found = reference_scores(lists, lambda anchors, items: np.array([0.5, 0.75], np.float32))
    >>> found["min"].tolist(), found["mean"].tolist()
    ([0.5, nan], [0.625, nan])
    """
    values = score(positives.rows(), positives.values)
    lengths = positives.lengths()
    some = np.flatnonzero(lengths)
    starts = positives.offsets[:-1][some]
    out = {name: np.full(len(positives), np.nan, np.float32) for name in REFERENCES}
    if len(some):
        out["min"][some] = np.minimum.reduceat(values, starts)
        out["max"][some] = np.maximum.reduceat(values, starts)
        out["mean"][some] = np.add.reduceat(values.astype(np.float64), starts) / lengths[some]
    return out


def clear_of(positive_score: FloatArray, relative: float) -> FloatArray:
    """The highest score that is clear of a relative margin: ``positive - relative * |positive|``.

    The size of the positive counts, not its sign, so that the rule is right for negative scores too.

    >>> clear_of(np.array([0.5, -1.0], np.float32), 0.25).tolist()
    [0.375, -1.25]
    """
    return np.asarray(positive_score - relative * np.abs(positive_score))


def _texts(texts: Sequence[str] | None, what: str, needed_by: str) -> Sequence[str]:
    return _complete(texts, "texts", what, needed_by)


def _complete(inputs: Sequence[T] | None, kind: str, what: str, needed_by: str) -> Sequence[T]:
    """The texts or pictures, or an error that says who needs them."""
    if inputs is None:
        raise InputError(
            f"'{needed_by}' needs {kind}, and the {what} have none.",
            remedy=f"Give collections with {kind}, or choose steps that work on vectors alone.",
        )
    if missing := getattr(inputs, "null_count", 0):
        raise InputError(
            f"'{needed_by}' needs {kind}, and {missing} of the {what} have none.", remedy="Leave these out."
        )
    return inputs
