"""How many of the planted missing labels are held back, and how many true negatives are lost to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.data import Photos, Planted, planted
from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache
from hardneg.mining import Settings, mine

__all__ = ["ARMS", "Arm", "Outcome", "measured", "of_filters"]

ENCODER = "efficientnet_lite0"
COPIES = "duplicates(similarity=0.97)"
ALL = "detections(k=100000)"
TOP = 20  # of each category the surest that are kept: what would be trained on first


@dataclass(frozen=True)
class Outcome:
    """Of the planted missing labels and of the true negatives, the share held back, and that called likely missing.

    ``false``: of the surest ``TOP`` kept of each category, the share that is a planted missing label.
    """

    arm: str
    caught: float
    lost: float
    likely: float
    wrongly: float
    false: float


@dataclass(frozen=True)
class Arm:
    """A way to judge: filters, and what they are given."""

    name: str
    filters: tuple[str, ...]
    second: bool = False
    pictures: bool = True


ARMS = (
    Arm("mislabelled, unlabelled", ("mislabelled", "unlabelled")),
    Arm("missing_label", ("missing_label",)),
    Arm("missing_label, second detector", ("missing_label",), second=True),
    Arm("missing_label, scores alone", ("missing_label",), pictures=False),
    Arm("missing_label, scores of two", ("missing_label",), second=True, pictures=False),
    Arm("missing_label(error=0.1), second detector", ("missing_label(error=0.1)",), second=True),
)


def measured(data: Photos, seed: int, work: Path) -> list[Outcome]:
    """All arms and score cuts with one draw of deleted boxes."""
    settings = Settings(embeddings=EmbeddingCache(work / "vectors"))
    outcomes = []
    for arm in ARMS:
        case = planted(data, seed, second=arm.second, pictures=arm.pictures)
        outcomes.append(of_filters(arm, case, settings))
    return [*outcomes, *_of_cuts(planted(data, seed, pictures=False), outcomes)]


def of_filters(arm: Arm, case: Planted, settings: Settings, encoder: str = ENCODER) -> Outcome:
    """The outcome of one way to judge, with the vectors of an encoder where there are pictures."""
    vectors, copies = (encoder, COPIES) if arm.pictures else (_alone(case), "duplicates")  # a sure score is no copy
    run = mine(
        case.positives, sources=ALL, filters=["known", copies, *arm.filters], sampler="top(n=1)", encoder=vectors,
        settings=settings,
    )  # fmt: skip
    table = run.candidates.table
    rows = case.positives.items.positions(table.column("item").combine_chunks().dictionary_decode())
    held, likely = (np.zeros(len(case.missing), bool) for _ in range(2))
    verdict, reason = (np.array(table.column(name).to_pylist()) for name in ("verdict", "reason"))
    held[rows] = verdict != "keep"
    likely[rows] = np.char.find(reason.astype(str), ".likely") >= 0
    return _outcome(arm.name, case, held, likely)


def _of_cuts(case: Planted, others: Sequence[Outcome]) -> list[Outcome]:
    """A cut at 0.95, and the cuts that catch as many as each arm, chosen with hindsight."""
    score = _scores(case)
    out = [_outcome("score of at least 0.95", case, score >= 0.95, score >= 0.95)]
    rungs = np.sort(score[case.missing])[::-1]
    for one in others[1:3]:
        held = score >= rungs[max(round(one.caught * len(rungs)), 1) - 1]
        out.append(_outcome(f"score cut that catches as many as: {one.arm}", case, held, held))
    return out


def _outcome(name: str, case: Planted, held: NDArray[np.bool_], likely: NDArray[np.bool_]) -> Outcome:
    missing, negative = case.missing, case.negative
    kept = np.flatnonzero((missing | negative) & ~held)
    kept = kept[np.argsort(-_scores(case)[kept], kind="stable")]
    predicted = np.array(case.positives.items.table.column("predicted").to_pylist(), object)[kept]
    first = np.concatenate([kept[predicted == of][:TOP] for of in np.unique(predicted.astype(str))])
    shares = (float(which[those].mean()) for which in (held, likely) for those in (missing, negative))
    caught, lost, sure, wrongly = shares
    return Outcome(name, caught, lost, sure, wrongly, float(missing[first].mean()))


def _scores(case: Planted) -> NDArray[np.float64]:
    return np.asarray(case.positives.items.table.column("detector_score").to_numpy(), np.float64)


def _alone(case: Planted) -> Vectors:
    """Vectors whose cosine with what is there is the score, as for boxes without pictures."""
    score = np.nan_to_num(_scores(case), nan=1.0)
    items = np.stack([score, np.sqrt(1 - np.square(score))], axis=1).astype(np.float32)
    return Vectors.of_items(items, case.positives)
