"""How many of the mined negatives are false, with an interval, from whatever evidence there is.

``work.py`` is the way in. A run's mined negatives are the population; people judge a sample of them (``sample.py``,
``answers.py``, ``judged.py``), a teacher scores all of them and the judged ones correct it (``taught.py``), and known
positives that are hidden and mined anew tell how many others get through (``hidden.py``).
"""

from hardneg.auditing.intervals import Cell, Interval, clopper_pearson, stratified
from hardneg.auditing.result import Audit, Estimate, Part
from hardneg.auditing.sample import draw
from hardneg.auditing.work import audit, sample_of

__all__ = [
    "Audit",
    "Cell",
    "Estimate",
    "Interval",
    "Part",
    "audit",
    "clopper_pearson",
    "draw",
    "sample_of",
    "stratified",
]
