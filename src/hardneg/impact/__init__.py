"""Did mining help? The same model under the same budget, with each set of negatives, on held-out data."""

from hardneg.impact.arms import Arm
from hardneg.impact.lesson import Budget, Lesson
from hardneg.impact.making import task_of
from hardneg.impact.probe import Probe
from hardneg.impact.result import Result
from hardneg.impact.task import Parts, Task
from hardneg.impact.work import Plan, measure

__all__ = ["Arm", "Budget", "Lesson", "Parts", "Plan", "Probe", "Result", "Task", "measure", "task_of"]
