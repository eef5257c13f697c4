"""Verdicts on candidates, one file a filter. A new one: its file here, and its name in the list below."""

from hardneg.filters._base import Filter, Gather, Judgement, Rule, first_of, judge_all, too_close
from hardneg.filters.agreement import Agreement
from hardneg.filters.calibrated import Calibrated
from hardneg.filters.duplicates import Duplicates
from hardneg.filters.known import Known
from hardneg.filters.margin import Margin
from hardneg.filters.mislabelled import Mislabelled
from hardneg.filters.missing_label import MissingLabel
from hardneg.filters.rank import Rank
from hardneg.filters.rescore import Rescore
from hardneg.filters.unlabelled import Unlabelled
from hardneg.notation import Registry

__all__ = [
    "FILTERS",
    "Agreement",
    "Calibrated",
    "Duplicates",
    "Filter",
    "Gather",
    "Judgement",
    "Known",
    "Margin",
    "Mislabelled",
    "MissingLabel",
    "Rank",
    "Rescore",
    "Rule",
    "Unlabelled",
    "first_of",
    "judge_all",
    "too_close",
]

FILTERS: Registry[Filter] = Registry(
    "filter",
    Filter,  # type: ignore[type-abstract]
    [Agreement, Calibrated, Duplicates, Known, Margin, Mislabelled, MissingLabel, Rank, Rescore, Unlabelled],
)
