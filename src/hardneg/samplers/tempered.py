"""A random choice that leans to the hard: one dial from uniform to top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hardneg import random
from hardneg.notation import require
from hardneg.samplers._base import Chooser, Preference
from hardneg.table import Rows

__all__ = ["Tempered"]


@dataclass(frozen=True)
class Tempered(Chooser):
    """``n`` drawn without replacement, with a weight that grows with hardness.

    ``softmax`` weighs a candidate by ``exp(score / temperature)``: near 0 it is ``top``, when large ``uniform``.
    ``simans`` weighs it by ``exp(-a * (score - positive_score - b)**2)``: most weight on candidates about as high
    as the positive plus ``b``, less on harder *and* on easier ones (Zhou 2022, arXiv 2210.11773, equation 5).
    Drawing is by the Gumbel trick (Kool 2019, arXiv 1903.06059): the ``n`` largest of log weight + Gumbel noise.

    Args:
        n, on_short: see :class:`hardneg.samplers.Chooser`.
        temperature: of the softmax, in units of the score.
        form: softmax or simans.
        a: how sharp the SimANS peak is.
        b: where the SimANS peak lies, relative to the positive.
    """

    name: ClassVar[str] = "tempered"

    temperature: float = 0.05
    form: Literal["softmax", "simans"] = "softmax"
    a: float = 50.0
    b: float = -0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.temperature > 0, "temperature", "above 0", self.temperature)
        require(self.a >= 0, "a", "at least 0", self.a)

    def prefer(self, rows: Rows, seed: int) -> Preference:
        """Log weight plus Gumbel noise."""
        score = np.asarray(rows["score"], np.float64)
        if self.form == "softmax":
            log_weight = score / self.temperature
        else:
            log_weight = -self.a * (score - rows["positive_score"] - self.b) ** 2
        noise = -np.log(-np.log(random.uniform(seed, rows["anchor_key"], rows["item_key"])))
        return np.asarray(log_weight + noise, np.float64)
