"""What a model is worth, in figures: rankings, decisions, error rates at a threshold. Arrays in, arrays out.

Every measure takes weights or gives one figure for each query, so that a bootstrap can draw queries, items or people
anew. EER, TAR at a FAR, minDCF and DET curves are those of :mod:`hardneg.verify`; false accepts per hour, of events and
with a Poisson interval, those of :func:`hardneg.verify.rate_per_hour`.
"""

from hardneg.measures.classification import accuracy, confusion, false_positive_rate, macro_f1
from hardneg.measures.curves import (
    Point,
    area,
    at_threshold,
    average_precision,
    fpr_at_tpr,
    threshold_at_tpr,
    tpr_at_fprs,
)
from hardneg.measures.ranking import average_precision_at, ndcg_at, ranks_of, recall_at, reciprocal_rank_at, success_at

__all__ = [
    "Point",
    "accuracy",
    "area",
    "at_threshold",
    "average_precision",
    "average_precision_at",
    "confusion",
    "false_positive_rate",
    "fpr_at_tpr",
    "macro_f1",
    "ndcg_at",
    "ranks_of",
    "recall_at",
    "reciprocal_rank_at",
    "success_at",
    "threshold_at_tpr",
    "tpr_at_fprs",
]
