"""A learner of the user's own: ``train(lesson, seed) -> scorer``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.encode._callables import as_array, describe, load_callable
from hardneg.errors import HardnegError, InputError
from hardneg.impact.lesson import Lesson, Scorer
from hardneg.impact.task import Task
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray
from hardneg.storage import digest

__all__ = ["Called"]


@dataclass(frozen=True)
class Called:
    """Calls ``function(lesson, seed)``, which trains a model anew and returns a function that scores.

    ``lesson.triplets()`` are ids in the order of training: (anchor, positive, negatives). ``lesson.examples()`` are, of
    a classifier, ids, labels and weights. ``lesson.anchors`` and ``lesson.items`` hold ids, texts and files.

    What it returns is called with two :class:`hardneg.Collection` and gives the score of each of the first with each of
    the second, shape ``(n, m)``; of a classifier the second are the names of the classes.

    While it trains it may show such a function as it is so far, ``lesson.show(step, scorer)``, after each number of
    steps in ``lesson.checkpoints``: this gives the learning curve. It may not change while it is looked at.

    Args:
        target: ``module:function`` or ``file.py:function``.
        call: the function itself.
    """

    target: str = ""
    call: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if self.call is None:
            object.__setattr__(self, "call", load_callable(self.target))
        if not self.target:
            object.__setattr__(self, "target", describe(self.call))  # type: ignore[arg-type]

    @property
    def key(self) -> str:
        """The name, and of a function in a file the content of that."""
        file = Path(self.target.rpartition(":")[0])
        content = digest(file)[:16] if file.suffix == ".py" and file.is_file() else ""
        return f"{self.target} {content}".strip()

    def train(self, lesson: Lesson) -> Scorer:
        """Call it; an error of its own says whose it is.

        Raises InputError where it fails or what it returns does not score.
        """
        task = lesson.task
        if (looked := lesson.looked) is not None:
            lesson = replace(lesson, looked=lambda step, made: looked(step, self._scorer(made, task)))
        return self._scorer(self._called(self.call, "failed in training", lesson, lesson.seed), task)

    def _scorer(self, made: Any, task: Task) -> Scorer:
        if not callable(made):
            raise InputError(f"'{self.target}' must return a function that scores. Got {type(made).__name__}.")
        left = task.positives.anchors if task.kind == "retrieval" else task.positives.items

        def scores(rows: IntArray, others: IntArray) -> FloatArray:
            right: Any = task.positives.items.take(others)
            if task.kind == "classification":
                right = [task.names[one] for one in others.tolist()]
            found = as_array(self._called(made, "failed in scoring", left.take(rows), right), f"'{self.target}'")
            wanted = (len(rows), len(others))
            if found.shape != wanted or not np.isfinite(found).all():
                raise InputError(
                    f"The scorer of '{self.target}' must return finite numbers of shape {wanted}. Got {found.shape}."
                )
            return np.asarray(found, np.float32)

        return scores

    def _called(self, function: Any, what: str, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (HardnegError, MemoryError):
            raise
        except Exception as error:
            raise InputError(f"'{self.target}' {what} ({type(error).__name__}: {error}).") from error
