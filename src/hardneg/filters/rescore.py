"""A slower and better judge: a cross-encoder or another teacher scores each pair of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hardneg.context import Context, reference_scores
from hardneg.encode import make_rescorer
from hardneg.errors import OptionError
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of, too_close
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray
from hardneg.table import Rows, Verdict

__all__ = ["Rescore"]


@dataclass(frozen=True)
class Rescore(Filter):
    """Suspects a candidate that the judge scores near the positive (RocketQA's denoising, arXiv 2010.08191).

    Scores are kept on disk as they come, so a run that was stopped goes on where it was.

    Args:
        model: a cross-encoder's folder or name, or another judge as text: ``teacher(...)``, ``function(...)``.
        absolute: suspect if its score is above ``positive - absolute``, on the judge's own scale.
        relative: suspect if its score is above ``positive - relative * |positive|``.
        ceiling: suspect if its score is above this.
        reference: which positive counts in its eyes.
        within: judge only candidates with a raw rank below this; the others pass.
    """

    name: ClassVar[str] = "rescore"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("absolute", Verdict.SUSPECT),
        Rule("relative", Verdict.SUSPECT),
        Rule("ceiling", Verdict.SUSPECT),
    )
    needs_model: ClassVar[bool] = True

    model: str
    absolute: float | None = None
    relative: float | None = None
    ceiling: float | None = None
    reference: Literal["min", "max", "mean"] = "min"
    within: int | None = None

    def __post_init__(self) -> None:
        if self.absolute is None and self.relative is None and self.ceiling is None:
            raise OptionError("rescore needs 'absolute', 'relative' or 'ceiling', as in rescore(model, relative=0.05).")
        require(self.absolute is None or self.absolute >= 0, "absolute", "at least 0", self.absolute)
        require(self.relative is None or 0 <= self.relative < 1, "relative", "in [0, 1)", self.relative)
        require(self.within is None or self.within >= 1, "within", "at least 1", self.within)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The judge's score of the candidate and of the reference positive; NaN beyond ``within``."""
        return f"rescored:{self.model}", f"rescored_{self.reference}:{self.model}"

    def gather(self, context: Context) -> Gather:
        """Score the positives once, then the candidates as they come."""
        judge = make_rescorer(self.model, context.embeddings)
        anchors, items = context.anchor_texts(str(self)), context.item_texts(str(self))

        def score(left: IntArray, right: IntArray) -> FloatArray:
            pairs = [(str(anchors[int(a)]), str(items[int(b)])) for a, b in zip(left, right, strict=True)]
            with context.progress.stage(f"rescore with {self.model}", len(pairs), "pairs") as report:
                return judge.score_all(pairs, context.pair_scores, report)

        reference = reference_scores(context.positives.positive, score)[self.reference]

        def gather(rows: Rows) -> Columns:
            asked = np.ones(len(rows), bool) if self.within is None else rows["rank"] < self.within
            found = np.full(len(rows), np.nan, np.float32)
            found[asked] = score(rows.anchor[asked], rows.item[asked])
            return {self.evidence[0]: found, self.evidence[1]: reference[rows.anchor]}

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """Compare the judge's score with its score of the positive.

        Raises OptionError for a candidate that another ``within`` left without a score.
        """
        score, positive = (columns[name] for name in self.evidence)
        if self.within is not None:
            score = np.where(columns["rank"] < self.within, score, -np.inf)
        if np.isnan(score).any():
            raise OptionError(f"'{self}' needs scores of candidates beyond those that were scored. Mine with it.")
        by_absolute, by_relative = too_close(score, positive, self.absolute, self.relative)
        above = score > (np.inf if self.ceiling is None else self.ceiling)
        gap = score - positive
        return first_of(score.shape, (by_absolute, gap), (by_relative, gap), (above, score))
