"""Did mining help? The same model under the same budget, with each set of negatives, on held-out data."""

from hardneg.impact.arms import Arm
from hardneg.impact.lesson import Budget, Lesson
from hardneg.impact.making import task_of, tasks_of
from hardneg.impact.probe import Probe
from hardneg.impact.result import Result
from hardneg.impact.task import Parts, Task
from hardneg.impact.work import Fold, Plan, cross_fitted, measure

__all__ = [
    "Arm", "Budget", "Fold", "Lesson", "Parts", "Plan", "Probe", "Result", "Task", "cross_fitted", "measure", "task_of",
    "tasks_of",
]  # fmt: skip
