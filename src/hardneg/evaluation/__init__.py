"""A detector judged on a data set, or two of them compared: ``detect/`` meets names and files."""

from hardneg.evaluation.account import MARK, about, write_evaluation
from hardneg.evaluation.judged import Judged, Verdicts, judge, names_of_results

__all__ = ["MARK", "Judged", "Verdicts", "about", "judge", "names_of_results", "write_evaluation"]
