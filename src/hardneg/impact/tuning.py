"""The probe's rate: chosen on validation data for training without mining, so that no mined arm gains by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardneg.impact.exam import Exam
from hardneg.impact.lesson import Budget, Lesson
from hardneg.impact.probe import Probe
from hardneg.impact.task import Task
from hardneg.impact.work import EXAMS
from hardneg.ragged import Ragged

__all__ = ["tuned"]

RATES = {"retrieval": (1e-4, 3e-4, 1e-3, 3e-3), "classification": (0.003, 0.01, 0.03, 0.1)}


def tuned(probe: Probe, task: Task, budget: Budget, seed: int = 0) -> Probe:
    """The same probe with the best of four rates; of equals the lowest. One that has a rate keeps it."""
    if probe.rate is not None:
        return probe
    exam: Exam = EXAMS[task.kind](task, task.parts.validation, None, seed=seed)
    empty, budget = Ragged.empty(len(task.positives.anchors)), budget.settled(task)
    tried = [replace(probe, rate=rate) for rate in RATES.get(task.kind, RATES["retrieval"])]
    figures = [exam.figures(exam.answers(one.train(Lesson(task, empty, budget, seed))))[0] for one in tried]
    return tried[int(np.argmax(np.nan_to_num(exam.measures[0].better * np.array(figures), nan=-np.inf)))]
