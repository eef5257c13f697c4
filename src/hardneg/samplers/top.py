"""The hardest of the kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.samplers._base import Chooser, Preference
from hardneg.table import Rows

__all__ = ["Top"]


@dataclass(frozen=True)
class Top(Chooser):
    """The ``n`` kept candidates of each anchor with the highest score.

    Args:
        n, on_short: see :class:`hardneg.samplers.Chooser`.
    """

    name: ClassVar[str] = "top"
    draws: ClassVar[bool] = False

    def prefer(self, rows: Rows, seed: int) -> Preference:  # noqa: ARG002 - nothing random here
        """The score itself."""
        return np.asarray(rows["score"], np.float64)
