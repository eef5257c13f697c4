"""Logistic regression: the plain classifier on top of vectors ("linear probe")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hardneg.notation import require
from hardneg.predict._base import Learn, Model
from hardneg.predict._extra import needs, spread
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Logistic"]


@dataclass(frozen=True)
class Logistic(Model):
    """Multinomial logistic regression of scikit-learn, on vectors of unit length.

    Args:
        C: how closely it follows the labels (the inverse of the penalty on large weights).
        folds: into how many parts the labelled rows are cut.
        calibrate: whether a temperature is fitted to the held-out rows.
        class_weight: ``balanced`` gives every class the same weight, whatever its number of rows.
        max_iter: after how many steps it stops.
    """

    name: ClassVar[str] = "logistic"
    C: float = 3.0
    class_weight: Literal["balanced"] | None = None
    max_iter: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.C > 0, "C", "above 0", self.C)
        require(self.max_iter > 0, "max_iter", "a whole number above 0", self.max_iter)

    def ready(self, vectors: FloatArray, classes: int, seed: int) -> Learn:  # noqa: ARG002 - the fit draws nothing
        """Each call fits one regression."""
        regression = needs("sklearn.linear_model").LogisticRegression

        def learn(codes: IntArray, rows: IntArray) -> FloatArray:
            known = np.flatnonzero(codes >= 0)
            model = regression(C=self.C, class_weight=self.class_weight, max_iter=self.max_iter)
            model.fit(vectors[known], codes[known])
            return spread(model.predict_proba(vectors[rows]), model.classes_, classes)

        return learn
