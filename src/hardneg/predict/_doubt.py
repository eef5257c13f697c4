"""The figures behind label errors: suspects, belief in the label, and the probability of each class to be true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hardneg.errors import InputError
from hardneg.predict.noise import confident_classes, label_noise, true_class
from hardneg.predict.predictions import Predictions
from hardneg.predict.weakness import strength
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["Found", "Rule", "Suspect", "one_label", "several_labels"]

Rule = Literal["posterior", "confident"]


@dataclass(frozen=True)
class Suspect:
    """How suspects are chosen."""

    rule: Rule
    least: float

    def __call__(self, rows: FloatArray, labels: IntArray, truth: FloatArray) -> IntArray:
        """The class that each row is suspected to be of, -1 for none."""
        if self.rule == "confident":
            found = confident_classes(rows, labels)
            return np.where(found != labels, found, -1)
        others = truth.copy()
        others[np.arange(len(labels)), labels] = -1
        return np.where(others.max(axis=1) >= self.least, others.argmax(axis=1), -1).astype(np.int64)


# Suspects, quality, the probability of each class to be true, and what a manifest says.
Found = tuple[IntArray, FloatArray, FloatArray, dict[str, object]]


def one_label(one: Predictions, codes: IntArray, usable: BoolArray, suspect: Suspect) -> Found:
    """What is found of items with one label each, -1 for none. Raises InputError where none can be judged."""
    n, count = one.probabilities.shape
    judged = np.flatnonzero(usable & (codes >= 0))
    if not len(judged):
        raise InputError(
            "No labelled item has a prediction of a model that had not seen its label.",
            remedy="Predict with folds, or give held-out predictions.",
        )
    rows, labels = one.probabilities[judged], codes[judged]
    noise = label_noise(rows, labels)
    quality = np.full(n, np.nan, np.float32)
    quality[judged] = rows[np.arange(len(judged)), labels]
    truth = np.full((n, count), np.nan, np.float32)
    truth[usable] = true_class(one.probabilities[usable], codes[usable], noise.given)
    suspected = np.full(n, -1, np.int64)
    suspected[judged] = suspect(rows, labels, truth[judged])
    strong = strength(rows.argmax(axis=1), labels, count)
    about: dict[str, object] = {
        "judged": len(judged),
        "noise": round(noise.share, 6),
        "suspected": int((suspected >= 0).sum()),
        "too_weak": strong.too_weak,
        "verdict": strong.why,
    }
    return suspected, quality, truth, about


def several_labels(one: Predictions, codes: Ragged, usable: BoolArray, suspect: Suspect) -> Found:
    """Each class by itself: an item has it or not, and so says its label."""
    n, count = one.probabilities.shape
    usable = usable & (codes.lengths() > 0)
    truth, believed = np.full((n, count), np.nan, np.float32), np.full((n, count), np.nan, np.float32)
    missing = np.zeros((n, count), bool)
    parts = []
    for column in range(count):
        has = codes.contains(np.arange(n), np.full(n, column)).astype(np.int64)
        if len(np.unique(has[usable])) < 2:
            continue  # all of them, or none: nothing to compare with
        yes = one.probabilities[:, column]
        both = Predictions(np.stack([1 - yes, yes], axis=1), one.held_out, ("no", "yes"))
        suspected, quality, odds, about = one_label(both, np.where(usable, has, -1), usable, suspect)
        truth[:, column], believed[:, column], missing[:, column] = odds[:, 1], quality, suspected == 1
        parts.append(about)
    if not parts:
        raise InputError("No class has held-out predictions of items that have it and of items that have not.")
    best = np.where(missing, truth, -1).argmax(axis=1)
    suspected = np.where(missing.any(axis=1), best, -1).astype(np.int64)
    weak = [bool(part["too_weak"]) for part in parts]
    about = {
        "judged": int(usable.sum()),
        "noise": round(float(np.mean([float(str(part["noise"])) for part in parts])), 6),
        "suspected": int((suspected >= 0).sum()),
        "too_weak": all(weak),
        "weak_classes": sum(weak),
    }
    quality = np.where(np.isnan(believed), np.inf, believed).min(axis=1)
    return suspected, np.where(np.isfinite(quality), quality, np.nan).astype(np.float32), truth, about
