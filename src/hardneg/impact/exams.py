"""Which examination a kind of task has."""

from __future__ import annotations

from collections.abc import Callable

from hardneg.impact.classified import Classified
from hardneg.impact.exam import Exam
from hardneg.impact.ranked import Ranked
from hardneg.impact.task import Kind
from hardneg.impact.verified import Verified

__all__ = ["EXAMS"]

EXAMS: dict[Kind, Callable[..., Exam]] = {
    "retrieval": Ranked, "classification": Classified, "verification": Verified,
}  # fmt: skip
