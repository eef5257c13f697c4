"""The share of false negatives is what the user asks for; the threshold is found on the user's own data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hardneg.calibrate import LEAST, calibrated
from hardneg.context import Context, reference_scores
from hardneg.errors import OptionError
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of, too_close
from hardneg.notation import require
from hardneg.table import Relation, Rows, Verdict

__all__ = ["Calibrated"]

_RELATIVE = 0.05  # the margin below the mean positive, where nothing can be learnt


@dataclass(frozen=True)
class Calibrated(Filter):
    """Suspects likely false negatives, so that at most a wanted share of the mined are some.

    What an unknown positive looks like the known ones say: each is hidden once, with all others in their places, and is
    then a candidate like any other (positive-unlabelled learning: Elkan & Noto 2008). A monotone additive logistic
    regression tells these from the candidates, by how near they are to the anchor, to its positives and to its other
    candidates, by rank, by words in common where all things have texts, and by the anchors that have them as positives.
    It never judges an anchor that it was fitted to. How many unknown positives there are is at most the number of
    candidates that look like the known ones.

    From this follows for each threshold a bound on the share of false negatives among the hardest candidates that pass,
    as many as the sampler takes: it is exceeded with a probability of 5% at most, over anchors with at least two
    positives, if unknown positives are like the known ones (exchangeable). If those that nobody wrote down are of
    another kind, as what an older search did not find, more get through.

    Evidence is stored, so ``refilter`` may ask for another rate. With too few hidden positives to learn from (10, of 10
    anchors with two), or where not even the estimate of the strictest threshold reaches the rate, it suspects what
    comes within 5% of the mean positive, and says so.

    Args:
        false_negatives: at most this share of the mined may be false negatives. Where no threshold can promise it, the
            estimated share takes the place of the bound, which is said aloud and in the manifest.
        likely: from which probability of being a positive a suspect is a likely new one; below nobody knows.
    """

    name: ClassVar[str] = "calibrated"
    rules: ClassVar[tuple[Rule, ...]] = (Rule("likely_positive", Verdict.SUSPECT), Rule("unsure", Verdict.SUSPECT))
    needs_model: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = True

    false_negatives: float = field(default=0.02, metadata={"always": True})
    likely: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.false_negatives < 1, "false_negatives", "above 0 and below 1", self.false_negatives)
        require(0 < self.likely < 1, "likely", "above 0 and below 1", self.likely)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The lowest rate under which the candidate passes, and how likely it is a positive.

        ``nearest_positive`` is the place of the nearest one among the anchor's positives, -1 for none or for over 32.
        """
        return ("false_negative_rate", "positive_probability", "nearest_positive")

    def gather(self, context: Context) -> Gather:
        """Hide the known positives, learn, and find what each threshold leads to.

        Raises OptionError for labels and groups: a hidden member is named by all others of its class, an unknown one by
        none, so what is learnt from the one says nothing of the other.
        """
        if context.positives.classes is not None:
            raise OptionError(
                f"'{self}' learns from pairs what an unknown positive looks like, and labels or groups say nothing of "
                f"one that is outside the class. {_instead(context)}"
            )
        with context.progress.stage("calibrate", 1, "filter") as report:
            made = calibrated(context, self.false_negatives)
            report(1, 1)
        if isinstance(made, int):
            why = f"{made} known positives could be hidden, and {LEAST}, of {LEAST} anchors, are needed"
            return self._by_margin(context, why)
        least = float(made.curve.share[0])
        if not made.promised and least > self.false_negatives:
            return self._by_margin(context, f"no threshold has an estimated share below {least:.1%}")
        context.hidden = made.hidden
        context.notes["calibrated"] = dict(made.about)
        context.notes["frontier"] = [one.about() for one in made.points]
        if not made.promised:
            context.progress.say(
                f"'{self}' cannot be promised: of {made.about['hidden']} hidden positives the least bound is "
                f"{made.curve.bound[0]:.1%}. It goes by the estimated share instead. More anchors with several "
                "positives, or a higher rate, would help."
            )

        def gather(rows: Rows) -> Columns:
            found = made.judge(rows)
            return dict(zip(self.evidence, (found.rate, found.probability, found.nearest), strict=True))

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """Compare with the rate; what nobody has judged is suspect above it."""
        rate, probability = columns["false_negative_rate"], columns["positive_probability"]
        relation = columns["relation"]
        suspect = ((relation == Relation.UNKNOWN) | (relation == Relation.SHARED)) & (rate > self.false_negatives)
        figure = np.where(np.isnan(probability), rate, probability)
        return first_of(np.shape(rate), (suspect & (probability >= self.likely), figure), (suspect, figure))

    def _by_margin(self, context: Context, why: str) -> Gather:
        """What takes its place where nothing can be learnt: 0 for what passes, 1 for what does not."""
        rule = f"margin(relative={_RELATIVE}, reference=mean)"
        context.notes["calibrated"] = {"fallback": rule, "why": why}
        context.progress.say(f"'{self}' cannot learn from these data ({why}), so {rule} takes its place.")
        vectors, positive = context.vectors(None), context.positives.positive
        mean = reference_scores(positive, vectors.pairs)["mean"]

        def gather(rows: Rows) -> Columns:
            score = rows["score"] if "score" in rows.columns else vectors.pairs(rows.anchor, rows.item)
            close = too_close(score, mean[rows.anchor], None, _RELATIVE)[1]
            none = np.full(len(rows), -1, np.int32)
            found = (close.astype(np.float32), np.full(len(rows), np.nan, np.float32), none)
            return dict(zip(self.evidence, found, strict=True))

        return gather


def _instead(context: Context) -> str:
    """What serves for data with classes."""
    classes, columns = context.classes("calibrated"), context.positives.items.table.column_names
    if "hidden_score" in columns:
        return "Of a detector's boxes use --filter missing_label."
    if not classes.closed:
        return "Of groups use --filter 'margin(relative=0.05, reference=mean)'."
    return "For items without a label use --filter unlabelled, for doubtful labels --filter mislabelled."
