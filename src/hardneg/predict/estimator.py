"""The user's own classifier: anything with ``fit`` and ``predict_proba``, or one function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from hardneg.encode._callables import as_array, describe, load_callable
from hardneg.errors import InputError, OptionError
from hardneg.notation import require
from hardneg.predict._base import Learn, Model
from hardneg.predict._extra import spread
from hardneg.predict.predictions import check_probabilities
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Estimator"]


@dataclass(frozen=True)
class Estimator(Model):
    """A classifier of the user's, on vectors of unit length.

    The target, ``module:name`` or ``file.py:name``, is one of two things.

    - A factory (a class, or a function that needs no argument): what it returns has ``fit(X, y)`` and
      ``predict_proba(X)``, or ``decision_function(X)``, whose scores become probabilities by softmax and the
      temperature. A new one is made for each fold; where it has a ``random_state`` of None, it gets the seed.
    - A function that needs three arguments, ``train(vectors, codes, asked)``: it trains on the first two and
      returns probabilities (or a tensor of them) for ``asked``, a column for each class up to the highest code.

    Args:
        target: where it is.
        call: the factory or function itself, instead.
        folds: into how many parts the labelled rows are cut.
        calibrate: whether a temperature is fitted to the held-out rows.
    """

    name: ClassVar[str] = "estimator"
    target: str = ""
    call: Callable[..., Any] | None = field(default=None, metadata={"data": True}, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(bool(self.target) or self.call is not None, "target", "'module:factory' or 'file.py:factory'", "none")
        if self.call is not None and not self.target:
            object.__setattr__(self, "target", describe(self.call))

    def ready(self, vectors: FloatArray, classes: int, seed: int) -> Learn:
        """Each call trains a new classifier."""
        made = self.call or load_callable(self.target)
        trains = _needed(made) == 3

        def learn(codes: IntArray, rows: IntArray) -> FloatArray:
            known = np.flatnonzero(codes >= 0)
            given = (vectors[known], codes[known], vectors[rows])
            if trains:
                found, seen = as_array(made(*given), self._who), None
            else:
                found, seen = self._fitted(made(), *given, seed)
            width = classes if seen is None and found.ndim == 2 and found.shape[1] == classes else None
            seen = seen if seen is not None else np.arange(width or int(codes.max()) + 1)
            if found.ndim != 2 or len(found) != len(rows):
                raise InputError(f"{self._who} must give {len(rows)} rows of probabilities. Got {found.shape}.")
            return spread(check_probabilities(found, len(seen)), seen, classes)

        return learn

    @property
    def _who(self) -> str:
        return f"The estimator '{self.target}'"

    def _fitted(
        self, model: Any, vectors: FloatArray, codes: IntArray, asked: FloatArray, seed: int
    ) -> tuple[FloatArray, IntArray]:
        """Probabilities of the rows asked for, and the classes that their columns mean."""
        if not hasattr(model, "fit"):
            raise OptionError(f"{self._who} must return a classifier with 'fit'. Got {type(model).__name__}.")
        if hasattr(model, "get_params") and model.get_params().get("random_state", 0) is None:
            model.set_params(random_state=seed % 2**32)
        model.fit(vectors, codes)
        seen = np.asarray(getattr(model, "classes_", np.unique(codes)), np.int64)
        if hasattr(model, "predict_proba"):
            return np.asarray(as_array(model.predict_proba(asked), self._who), np.float32), seen
        if not hasattr(model, "decision_function"):
            raise OptionError(
                f"{self._who} must have 'predict_proba' or 'decision_function': a class alone says nothing of how sure "
                "it is."
            )
        scores = as_array(model.decision_function(asked), self._who)
        if scores.ndim == 1:  # of two classes there is one score: how much it is the second
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        return check_probabilities(scores, len(seen), kind="logits"), seen


def _needed(function: Callable[..., Any]) -> int:
    """How many arguments a function must be given.

    >>> _needed(lambda vectors, codes, asked, rate=0.1: None), _needed(lambda: None)
    (3, 0)
    """
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    return sum(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in given
    )
