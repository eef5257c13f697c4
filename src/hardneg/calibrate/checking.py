"""What judged pairs among the candidates say of what was learnt: a promise is checked where somebody has looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.quantiles import clopper_pearson, gamma_quantile
from hardneg.ragged import BoolArray
from hardneg.table import Array, Relation

__all__ = ["Checked"]


@dataclass(frozen=True)
class Checked:
    """Judged candidates, counted; parts of a run add up.

    Args:
        negatives: known negatives.
        doubted: those of them that would be suspect, had nobody judged them.
        positives: candidates that somebody found to be positive after the filter had learnt.
        passed: those of them that the filter lets pass.
        expected: of the judged that pass how many would be positive, by their probabilities.
    """

    negatives: int = 0
    doubted: int = 0
    positives: int = 0
    passed: int = 0
    expected: float = 0.0

    @classmethod
    def of(cls, columns: Mapping[str, Array], rate: float, found: BoolArray | None = None) -> Checked:
        """Count some candidates.

        Args:
            columns: with ``relation``, ``false_negative_rate`` and ``positive_probability``.
            rate: that is asked for.
            found: which were judged positive after the learning; None for none.
        """
        negative = columns["relation"] == Relation.NEGATIVE
        positive = np.zeros(len(negative), bool) if found is None else found
        passes = columns["false_negative_rate"] <= rate
        judged = (negative | positive) & passes
        return cls(
            int(negative.sum()), int((negative & ~passes).sum()), int(positive.sum()), int((positive & passes).sum()),
            float(np.nansum(columns["positive_probability"][judged].astype(np.float64))),
        )  # fmt: skip

    def __add__(self, other: Checked) -> Checked:
        return Checked(
            self.negatives + other.negatives, self.doubted + other.doubted, self.positives + other.positives,
            self.passed + other.passed, self.expected + other.expected,
        )  # fmt: skip

    @property
    def contradicts(self) -> bool:
        """Whether more of the judged that pass are positive than chance allows by their probabilities.

        The lower limit of 97.5% of a Poisson number (Garwood 1936). Which pairs were chosen to be judged does not
        matter as long as they were chosen by what the filter knows, as a reviewer's queues do.
        """
        return self.passed > 0 and gamma_quantile(0.025, float(self.passed)) > self.expected

    def about(self, rate: float) -> Mapping[str, Any]:
        """As plain values, for a manifest; empty where nothing is judged."""
        out: dict[str, Any] = {"at": rate} if self.negatives + self.positives else {}
        if self.negatives:
            share = _share(self.doubted, self.negatives)
            out |= {"negatives": self.negatives, "doubted": self.doubted, "doubted_share": share}
        if self.positives:
            share = _share(self.passed, self.positives)
            out |= {"positives": self.positives, "passed": self.passed, "passed_share": share}
            out |= {"expected": round(self.expected, 3), "contradicts": self.contradicts}
        return out


def _share(count: int, of: int) -> list[float]:
    """The exact interval of 95% of a share, for a manifest.

    >>> _share(0, 10)
    [0.0, 0.3085]
    """
    return [round(end, 4) for end in clopper_pearson(count, of)]
