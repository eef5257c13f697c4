"""A local page on which people decide what a run's candidates are; every answer is on the disk before it is shown.

The files, from the data to the browser: ``desk`` (the candidates), ``answers`` (the ledger), ``queues`` and ``view``
(which of them, in what order), ``shown`` (what is seen of one), ``app`` (routes), ``security`` (who may ask).
"""

from __future__ import annotations

from hardneg.agreement import cohen_kappa, fleiss_kappa
from hardneg.review.desk import Desk

__all__ = ["Desk", "cohen_kappa", "fleiss_kappa"]
