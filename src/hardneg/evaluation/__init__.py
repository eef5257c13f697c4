"""A detector judged on a data set, or two of them compared: ``detect/`` meets names and files."""

from hardneg.evaluation.account import MARK, about, write_evaluation
from hardneg.evaluation.judged import WRONG, Judged, Verdict, Verdicts, judge, names_of_results, seen

__all__ = [
    "MARK", "WRONG", "Judged", "Verdict", "Verdicts", "about", "judge", "names_of_results", "seen", "write_evaluation",
]  # fmt: skip
