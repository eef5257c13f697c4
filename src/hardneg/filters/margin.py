"""A candidate that scores nearly as high as the positive may well be one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hardneg.errors import OptionError
from hardneg.filters._base import Columns, Filter, Judgement, Rule, first_of, too_close
from hardneg.notation import require
from hardneg.table import Verdict

__all__ = ["Margin"]


@dataclass(frozen=True)
class Margin(Filter):
    """Suspects candidates that come too close to the positive's score, or above a ceiling.

    Args:
        absolute: suspect if ``score > positive - absolute``.
        relative: suspect if ``score > positive - relative * |positive|``; 0.05 is the "95% of the positive" of
            NV-Retriever (Moreira 2024).
        ceiling: suspect if ``score > ceiling``.
        reference: which of the anchor's positives counts: ``min`` (the weakest: safest), ``mean`` or ``max``.
    """

    name: ClassVar[str] = "margin"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("absolute", Verdict.SUSPECT),
        Rule("relative", Verdict.SUSPECT),
        Rule("ceiling", Verdict.SUSPECT),
    )

    absolute: float | None = None
    relative: float | None = None
    ceiling: float | None = None
    reference: Literal["min", "max", "mean"] = "min"

    def __post_init__(self) -> None:
        if self.absolute is None and self.relative is None and self.ceiling is None:
            raise OptionError("margin needs 'absolute', 'relative' or 'ceiling', as in margin(relative=0.05).")
        require(self.absolute is None or self.absolute >= 0, "absolute", "at least 0", self.absolute)
        require(self.relative is None or 0 <= self.relative < 1, "relative", "in [0, 1)", self.relative)

    def judge(self, columns: Columns) -> Judgement:
        """Compare the score with the reference positive's; the figure is their difference (or the score)."""
        score, positive = columns["score"], columns[f"positive_{self.reference}"]
        by_absolute, by_relative = too_close(score, positive, self.absolute, self.relative)
        above = score > (np.inf if self.ceiling is None else self.ceiling)
        gap = score - positive
        return first_of(score.shape, (by_absolute, gap), (by_relative, gap), (above, score))
