"""Sentiment: the counterfactual as the gold hard negative; a classifier retrained with what it gets wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.labelled.data import Labelled, cad, minilm, sentences
from benchmarks.labelled.noise import ids
from hardneg.collection import Collection
from hardneg.context import Vectors, anchors_of
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.weights import sample_weight

GOLD_HEAD = ("source", "recall at 1", "recall at 10", "of these suspect")
RETRAIN_HEAD = ("data", "start", "random", "mined", "mined - random", "weights - none")
LABELLED, ADDED, SEEDS = 1000, 500, 10


@dataclass(frozen=True)
class Gold:
    """How often the counterfactual, nearly the same words under the other label, is found, and then suspected."""

    source: str
    at_1: float
    at_10: float
    suspect: float


def gold(work: Path) -> list[Gold]:
    """The counterfactual among the mined, by encoder and by words."""
    found = []
    for name, encoder in (("WordLlama", "wordllama"), ("MiniLM", minilm())):
        data, pairs, texts = cad(encoder, work)
        found.append(_gold(f"neighbors, {name}", data, pairs, texts, "neighbors(k=10)"))
        if name == "WordLlama":
            found.append(_gold("lexical", data, pairs, texts, "lexical(k=10)"))
            found.append(_gold("uniform", data, pairs, texts, "uniform(k=10)"))
    return found


def _gold(name: str, data: Labelled, pairs: NDArray[np.int64], texts: list[str], source: str) -> Gold:
    table = data.collection(data.labels).table.append_column("text", pa.array(texts, pa.large_string()))
    positives = Positives.from_labels(Collection(table))
    encoder = Vectors(data.vectors, data.vectors)
    run = mine(
        positives, sources=source, filters=["known", "duplicates(similarity=0.97)", "mislabelled"], sampler="top(n=10)",
        encoder=encoder,
    )  # fmt: skip
    made = run.candidates.table
    anchor, item = ids(made, "anchor"), ids(made, "item")
    order = np.lexsort((np.arange(len(anchor)), -made.column("source_score").to_numpy(), anchor))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - np.searchsorted(anchor[order], anchor[order])
    hit = pairs[anchor] == pairs[item]
    asked = len(data.labels)
    suspect = made.column("verdict").cast(pa.string()).to_numpy() != "keep"
    return Gold(name, (hit & (place == 0)).sum() / asked, hit.sum() / asked, suspect[hit].mean() if hit.any() else 0.0)


@dataclass(frozen=True)
class Retrained:
    """Test accuracies of one seed: with the labels at hand, and with as many again found in three ways."""

    start: float
    random: float
    mined: float
    plain: float
    weighted: float


def retrained(name: str, encoder: str, work: Path, seeds: int = SEEDS) -> list[Retrained]:
    """A classifier of 1,000 labels gets 500 more: random ones, or what is most like its errors on the dev split.

    The other comparison: all training labels, with and without weights for the mined.
    """
    data = sentences(name, encoder, work)
    return [_retrained(data, seed) for seed in range(seeds)]


def _retrained(data: Labelled, seed: int) -> Retrained:
    rng = np.random.default_rng(seed)
    train, dev = np.flatnonzero(data.split == "train"), np.flatnonzero(data.split == "dev")
    order = rng.permutation(train)
    known, pool = order[:LABELLED], order[LABELLED:]
    score = _scorer(data)
    return Retrained(
        score(known, None),
        score(np.concatenate([known, rng.choice(pool, ADDED, replace=False)]), None),
        score(np.concatenate([known, _mined(data, known, dev, seed)]), None),
        score(order, None),
        score(order, _weights(data, order, dev, seed)),
    )


def _mined(data: Labelled, known: NDArray[np.int64], dev: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The unlabelled items that are most like the errors on the dev split, by how sure the error is."""
    labels = np.full(len(data.labels), -1, np.int64)
    labels[known], labels[dev] = data.labels[known], data.labels[dev]
    run = _by_class(data, labels, np.isin(data.split, ["train"]), f"predictions(k={4 * ADDED}, like=20)", seed)
    table = run.candidates.table
    item, score = ids(table, "item"), table.column("score").to_numpy()
    fresh = labels[item] < 0
    best = item[fresh][np.argsort(-score[fresh], kind="stable")]
    _, first = np.unique(best, return_index=True)
    return best[np.sort(first)][:ADDED]


def _weights(data: Labelled, rows: NDArray[np.int64], dev: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    labels = np.full(len(data.labels), -1, np.int64)
    labels[rows], labels[dev] = data.labels[rows], data.labels[dev]
    run = _by_class(data, labels, np.isin(np.arange(len(labels)), rows), "predictions(k=2000, like=20)", seed)
    return np.asarray(sample_weight(run, rows), np.float64)


def _by_class(data: Labelled, labels: NDArray[np.int64], minable: NDArray[np.bool_], source: str, seed: int):  # type: ignore[no-untyped-def]
    positives = Positives.from_labels(data.collection(labels), anchors="classes", minable=minable, seed=seed)
    encoder = Vectors(anchors_of(data.vectors, positives, "cosine"), data.vectors)
    return mine(
        positives, sources=source, filters=["known", "mislabelled"], sampler="top(n=500)", encoder=encoder, seed=seed
    )


def _scorer(data: Labelled) -> Callable[[NDArray[np.int64], NDArray[np.float64] | None], float]:
    from sklearn.linear_model import LogisticRegression

    unit = data.vectors / np.linalg.norm(data.vectors, axis=1, keepdims=True).clip(1e-9)
    test = np.flatnonzero(data.split == "test")

    def score(rows: NDArray[np.int64], weights: NDArray[np.float64] | None) -> float:
        model = LogisticRegression(C=10, max_iter=1000).fit(unit[rows], data.labels[rows], sample_weight=weights)
        return float(model.score(unit[test], data.labels[test]))

    return score


def difference(left: list[float], right: list[float]) -> str:
    """The mean of paired differences with its 95% interval (Student's t)."""
    from scipy import stats

    gaps = np.array(left) - np.array(right)
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps))
    return f"{gaps.mean():+.1%} ({gaps.mean() - half:+.1%} to {gaps.mean() + half:+.1%})"
