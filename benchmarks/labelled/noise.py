"""A tenth of the labels flipped: which of the flips among mined candidates are caught, and what is lost with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.labelled.data import Labelled
from hardneg.context import Context, Vectors, anchors_of
from hardneg.mining import mine
from hardneg.positives import Positives

HEAD = (
    "filter", "flips caught", "hard negatives lost", "false among the 8", "anchors without",
)  # fmt: skip
BOUNDS = (0.05, 0.1, 0.25, 0.5)
ARMS = ("plain top-k", "cleanlab alone", *(f"mislabelled(negative={bound})" for bound in BOUNDS))
WANTED = 8


@dataclass(frozen=True)
class Outcome:
    """One arm at one seed; shares of pairs whose anchor is rightly labelled, but for the last."""

    arm: str
    caught: float
    lost: float
    false: float
    empty: float


def flipped(labels: NDArray[np.int64], classes: int, share: float, seed: int) -> NDArray[np.int64]:
    """The labels, a share of them moved to another class at random."""
    rng = np.random.default_rng(seed)
    moved = rng.random(len(labels)) < share
    return np.where(moved, (labels + rng.integers(1, classes, len(labels))) % classes, labels)


def measured(data: Labelled, seed: int, share: float = 0.1, k: int = 100) -> list[Outcome]:
    """Mine for every training item with and without filters; the false are those of the anchor's own class."""
    rows = np.flatnonzero(data.split == "train")
    vectors, truth = data.vectors[rows], data.labels[rows]
    given = flipped(truth, len(data.names), share, seed)
    positives = Positives.from_labels(data.collection(given, np.arange(len(rows))), seed=seed)
    encoder = Vectors(anchors_of(vectors, positives, "cosine"), vectors)
    run = mine(
        positives, sources=f"neighbors(k={k})", filters=["known", "mislabelled"], sampler=f"top(n={WANTED})",
        encoder=encoder, seed=seed,
    )  # fmt: skip
    table = run.candidates.table
    anchor, item, score = ids(table, "anchor"), ids(table, "item"), table.column("score").to_numpy()
    truth_of_pair, anchors = (table.column(name).to_numpy() for name in ("true_class", "anchor_class"))
    flagged = _cleanlab(positives, encoder, given, seed)
    false = truth[item] == given[anchor]
    right = truth[anchor] == given[anchor]
    doubted = [(truth_of_pair >= bound) | (anchors < 0.5) for bound in BOUNDS]
    masks = (np.zeros(len(item), bool), flagged[item] | flagged[anchor], *doubted)
    return [_outcome(arm, mask, false, right, anchor, score) for arm, mask in zip(ARMS, masks, strict=True)]


def confusions(data: Labelled, top: int = 6) -> list[tuple[str, str, float]]:
    """The pairs of classes that are mined for one another most, with their share of all sampled negatives."""
    rows = np.flatnonzero(data.split == "train")
    positives = Positives.from_labels(data.collection(data.labels[rows], np.arange(len(rows))))
    encoder = Vectors(anchors_of(data.vectors[rows], positives, "cosine"), data.vectors[rows])
    run = mine(
        positives, sources="neighbors(k=50)", filters=["known", "mislabelled"], sampler="top(n=8)", encoder=encoder
    )
    left, right = (data.labels[rows][ids(run.negatives, name)] for name in ("anchor", "item"))
    codes = np.minimum(left, right) * len(data.names) + np.maximum(left, right)
    pairs, counts = np.unique(codes, return_counts=True)
    best = np.argsort(-counts)[:top]
    at = [(int(pair) // len(data.names), int(pair) % len(data.names)) for pair in pairs[best]]
    return [
        (data.names[one], data.names[two], float(count) / len(left))
        for (one, two), count in zip(at, counts[best], strict=True)
    ]


def _outcome(
    arm: str, ruled_out: NDArray[np.bool_], false: NDArray[np.bool_], right: NDArray[np.bool_],
    anchor: NDArray[np.int64], score: NDArray[np.float32],
) -> Outcome:  # fmt: skip
    kept = np.flatnonzero(~ruled_out)
    order = kept[np.lexsort((-score[kept], anchor[kept]))]
    place = np.arange(len(order)) - np.searchsorted(anchor[order], anchor[order])
    sampled = order[place < WANTED]
    sound = np.unique(anchor[right])
    return Outcome(
        arm,
        float(ruled_out[false & right].mean()) if (false & right).any() else float("nan"),
        float(ruled_out[~false & right].mean()),
        float(false[sampled][right[sampled]].mean()),
        float(1 - np.isin(sound, anchor[sampled]).mean()),
    )


def ids(table: pa.Table, name: str) -> NDArray[np.int64]:
    return np.asarray(table.column(name).cast(pa.int64()).to_numpy(), np.int64)


def _cleanlab(positives: Positives, encoder: Vectors, given: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """What cleanlab itself flags, from the same held-out probabilities of the logistic regression."""
    from cleanlab.filter import find_label_issues

    predicted = Context(positives, encoder, seed).predictions("logistic", "cleanlab")
    return np.asarray(find_label_issues(given, predicted.probabilities.astype(np.float64)))


def summary(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """A row an arm: means over seeds, with the standard deviation."""

    def told(values: list[float]) -> str:
        return f"{np.mean(values):.1%} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.1%}"

    rows = []
    for arm in ARMS:
        mine_ = [one for one in outcomes if one.arm == arm]
        rows.append(
            [arm, *(told([getattr(one, name) for one in mine_]) for name in ("caught", "lost", "false", "empty"))]
        )
    return rows
