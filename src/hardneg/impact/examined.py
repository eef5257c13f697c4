"""What one training came to: the answers of the test part, figures of all parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.accepting import operating_threshold
from hardneg.impact.exam import Answers, Figures
from hardneg.impact.lesson import Scorer
from hardneg.table import Grade

if TYPE_CHECKING:
    from hardneg.impact.work import Exams

__all__ = ["GRADES", "Examined", "Trained", "examined", "from_arrays"]

GRADES = tuple(one.name.lower() for one in Grade)
_TEST = "test/"


@dataclass(frozen=True, eq=False)
class Examined:
    """One arm with one seed.

    Args:
        test: the answers of the held-out part, with the ``threshold`` that was chosen on validation data.
        figures: of the held-out part, one for each measure.
        validation: the same of the validation part.
        train: the same of the training part, or a sample of it.
        grades: right decisions by grade, of the training and of the held-out part, shape ``(2, 3)``.
        course: the first figure of the training and the validation part while it learnt, shape ``(2, checkpoints)``.
    """

    test: Answers
    figures: Figures
    validation: Figures
    train: Figures
    grades: Figures
    course: Figures = field(default_factory=lambda: np.zeros((2, 0)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it by name, to be kept."""
        plain = {name: getattr(self, name) for name in ("figures", "validation", "train", "grades", "course")}
        return {**plain, **{_TEST + name: one for name, one in self.test.items()}}


@dataclass(frozen=True, eq=False)
class Trained:
    """All trainings: of each arm those of its seeds, of each dose likewise; and how many negatives an arm has.

    ``counts`` holds, for each arm, its negatives and the anchors that had none and were given random ones.
    """

    arms: dict[str, list[Examined]]
    doses: dict[float, list[Examined]]
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def answers(self) -> dict[str, list[Answers]]:
        """Of each arm the answers of the held-out part, with each seed."""
        return {name: [one.test for one in each] for name, each in self.arms.items()}


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Examined:
    """What :meth:`Examined.arrays` gave."""
    plain = {name: one for name, one in arrays.items() if not name.startswith(_TEST)}
    test = {name.removeprefix(_TEST): one for name, one in arrays.items() if name.startswith(_TEST)}
    return Examined(test, **plain)


def examined(scorer: Scorer, exams: Exams) -> Examined:
    """Ask a scorer the questions of all parts."""
    validation, train = exams.validation.answers(scorer), exams.train.answers(scorer)
    test = exams.test.answers(scorer)
    threshold = operating_threshold(validation) if "scores" in validation else None
    if threshold is not None:
        test["threshold"] = np.array(threshold)
    grades = [_graded(exam.by_grade(one)) for exam, one in ((exams.train, train), (exams.test, test))]
    return Examined(
        test, exams.test.figures(test), exams.validation.figures(validation), exams.train.figures(train),
        np.array(grades),
    )  # fmt: skip


def _graded(found: Mapping[str, float]) -> list[float]:
    return [found.get(name, float("nan")) for name in GRADES]
