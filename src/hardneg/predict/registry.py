"""Models by name."""

from __future__ import annotations

from hardneg.notation import Registry
from hardneg.predict._base import Model
from hardneg.predict.estimator import Estimator
from hardneg.predict.knn import KNN
from hardneg.predict.logistic import Logistic
from hardneg.predict.propagation import Propagation

__all__ = ["MODELS", "make_model"]

MODELS: Registry[Model] = Registry("model", Model, [Logistic, KNN, Propagation, Estimator])  # type: ignore[type-abstract]


def make_model(spec: str | Model) -> Model:
    """A model from its text.

    Raises OptionError for an unknown name or option.

    >>> str(make_model("logistic(C=1.0, folds=3)"))
    'logistic(folds=3, C=1)'
    """
    return MODELS.make(spec)
