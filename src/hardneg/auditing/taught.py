"""A teacher's scores of all mined pairs, corrected by the judged ones.

Prediction-powered inference (Angelopoulos et al. 2023, Science 382; stratified: Fisch et al. 2024, arXiv 2406.04291)
takes the teacher's word for all pairs and corrects it by how wrong it is on the judged ones. Here the correction is
made in bands of the teacher's score (post-stratification): what a band's pairs are is said by its judgements alone,
and the teacher only says how many pairs each band holds. So there is no scale of the teacher's to trust, a teacher
that knows nothing costs nothing, and a biased one can mislead nobody. The intervals of ``intervals.py`` hold with few
judgements, where those from a normal distribution do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.auditing.answers import Answers
from hardneg.auditing.population import Population
from hardneg.auditing.strata import order_of
from hardneg.encode import EmbeddingCache, PairScoreCache
from hardneg.encode._rescorer import Rescorer
from hardneg.encode.pair_function import PairFunction
from hardneg.encode.rescorers import make_rescorer
from hardneg.errors import InputError
from hardneg.progress import Progress
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import FloatArray

__all__ = ["PER_BAND", "Teacher", "banded", "teacher_of", "teacher_scores", "uncorrected"]

PER_BAND = 8
"""Judgements in a band of the teacher's scores, at least."""

_BANDS = 4  # of a stratum, at most: more would gain next to nothing

Teacher = str | Rescorer | Callable[[list[tuple[str, str]]], Any]


def teacher_of(teacher: Teacher, embeddings: EmbeddingCache | None) -> Rescorer:
    """The teacher as a rescorer: from its text, itself, or any function of pairs of texts."""
    if isinstance(teacher, (str, Rescorer)):
        return make_rescorer(teacher, embeddings)
    return PairFunction(call=teacher)


def teacher_scores(
    teacher: Rescorer, population: Population, cache: PairScoreCache | None, progress: Progress
) -> tuple[FloatArray, FloatArray]:
    """The teacher's scores of the mined pairs, and of the known positives in the order of ``run.positives``.

    Scores are kept in the cache as they come, so a stopped audit goes on. Raises InputError where the run has no texts.
    """
    run = population.run
    positive = run.positives.positive
    mined = _pairs(population, population.anchor, population.item, str(teacher))
    known = _pairs(population, positive.rows(), positive.values, str(teacher))
    with progress.stage(f"score with {teacher}", len(mined) + len(known), "pairs") as report:
        scores = teacher.score_all([*mined, *known], cache, report)
    return scores[: len(mined)], scores[len(mined) :]


def _pairs(population: Population, anchors: IntArray, items: IntArray, needed_by: str) -> Sequence[tuple[str, str]]:
    run = population.run
    columns = []
    for what, things, rows in (("anchors", run.anchors, anchors), ("items", run.items, items)):
        texts = things.texts
        if texts is None or texts.null_count:
            raise InputError(
                f"'{needed_by}' reads texts, and the {what} of '{run.path}' have none.",
                remedy="Judge a sample instead: hardneg audit RUN --draw 40",
            )
        columns.append(texts.take(pa.array(rows)).to_pylist())
    return list(zip(*columns, strict=True))


def banded(
    strata: IntArray, scores: FloatArray, answers: Answers, keys: Sequence[IntArray], within: BoolArray
) -> IntArray:
    """Each stratum cut into bands of the teacher's score, as many as its judgements carry; codes of shape ``(pairs,)``.

    How many there are hangs on how many were judged, never on what was said, so the judged ones of a band are a random
    sample of it. A band in which nobody judged joins its neighbour.
    """
    codes = np.full(len(strata), -1, np.int64)
    order = order_of(scores, *keys)
    order = order[within[order] & ~answers.settled[order] & (strata[order] >= 0)]
    fresh = 0
    for stratum in np.unique(strata[order]):
        rows = order[strata[order] == stratum]
        judged = answers.truth[rows] >= 0
        number = min(_BANDS, max(1, int(judged.sum()) // PER_BAND))
        band = np.arange(len(rows)) * number // len(rows)
        codes[rows] = fresh + _joined(band, judged, number)
        fresh += number
    return codes


def _joined(band: IntArray, judged: BoolArray, number: int) -> IntArray:
    """Bands joined with the next until each has half as many judgements as it should have, or more."""
    counts = np.bincount(band[judged], minlength=number)
    to, gathered, place = np.zeros(number, np.int64), 0, 0
    for at in range(number):
        to[at] = place
        gathered += counts[at]
        if gathered >= PER_BAND / 2 and counts[at + 1 :].sum() >= PER_BAND / 2:
            place, gathered = place + 1, 0
    return to[band]


def uncorrected(mined: FloatArray, known: FloatArray) -> float:
    """The share of mined pairs that the teacher scores at least as high as it scores half of the known positives."""
    return float((mined >= np.median(known)).mean()) if len(known) and len(mined) else float("nan")
