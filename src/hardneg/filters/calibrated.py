"""The share of false negatives is what the user asks for; the threshold is found on the user's own data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.calibrate import ITEMS, LEARNT, LEAST, Decision, Point, calibrated, calibrated_labels
from hardneg.context import Context, reference_scores
from hardneg.errors import OptionError
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of, too_close
from hardneg.filters._classes import over_classes, views_of
from hardneg.notation import require
from hardneg.table import Array, Relation, Rows, Verdict

__all__ = ["Calibrated"]

_RELATIVE = 0.05  # the margin below the mean positive, where nothing can be learnt


@dataclass(frozen=True)
class Calibrated(Filter):
    """Suspects likely false negatives, so that at most a wanted share of the mined are some.

    What an unknown positive looks like the known ones say: each is hidden once, with all others in their places, and is
    then a candidate like any other (positive-unlabelled learning: Elkan & Noto 2008). A monotone additive logistic
    regression tells these from the candidates, by how near they are to the anchor, to its positives and to its other
    candidates, by rank, by words in common where all things have texts, and by the anchors that have them as positives;
    with ``encoder`` also by how near a second encoder puts them to the anchor and its positives. It never judges an
    anchor that it was fitted to. How many unknown positives there are is at most the number of candidates that look
    like the known ones.

    What is a positive of another anchor that shares one with this is held back whole where that costs no hardness, and
    is evidence like any other where it does: things with several sides share positives with what they are not.

    From this follows for each threshold a bound on the share of false negatives among the hardest candidates that pass,
    as many as the sampler takes: it is exceeded with a probability of 5% at most, if unknown positives are like the
    known ones (exchangeable). If those that nobody wrote down are of another kind, as what an older search did not
    find, more get through. Anchors with one positive have a bound and a threshold of their own: the others stand in for
    them, each with all but one positive hidden, and what is unknown is counted among their own candidates, or among
    the stand-ins', whichever is more.

    Evidence is stored, so ``refilter`` may ask for another rate. Where nothing can be promised it goes by the estimated
    share; with fewer than 50 anchors of two positives the estimates of what it learnt count double, and where they do
    not keep the rate so, the fixed rule (``rank``, ``margin``) decides that mines the hardest at that rate. Where no
    estimate reaches the rate, the rule with the lowest takes its place; and with too few hidden positives to
    measure anything (10, of 10 anchors with two) it suspects what comes within 5% of the mean positive. All is said.

    Of labelled items with a pool that has no labels it judges the pool. Labels are hidden, each for all anchors alike,
    and told from the pool by how likely models that had not seen it call it of the class (``logistic`` and ``knn``, or
    the predictions that came with the data), by score and by rank. What has another label always passes, and competes
    for the places among the mined; ``mislabelled`` doubts it. The promise holds if it is chance which items have a
    label, alike in all classes. With fewer than 50 labels to hide nothing of the pool passes.

    Args:
        false_negatives: at most this share of the mined may be false negatives. Where no threshold can promise it, the
            estimated share takes the place of the bound, which is said aloud and in the manifest.
        likely: from which probability of being a positive a suspect is a likely new one; below nobody knows.
        encoder: a second encoder, as text, whose opinion is evidence too: one more encoding of all, for fewer false
            negatives where it sees what the first does not. Not for labelled items.

    >>> str(Calibrated(encoder="wordllama"))
    'calibrated(false_negatives=0.02, encoder=wordllama)'
    """

    name: ClassVar[str] = "calibrated"
    rules: ClassVar[tuple[Rule, ...]] = (Rule("likely_positive", Verdict.SUSPECT), Rule("unsure", Verdict.SUSPECT))
    needs_model: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = True

    false_negatives: float = field(default=0.02, metadata={"always": True})
    likely: float = 0.5
    encoder: str | None = None

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

        Raises OptionError for labels where no item lacks one, for labels with a second encoder, and for groups: what
        is of another group was never hidden, so nothing can be learnt of it.
        """
        if context.positives.classes is not None:
            return self._by_labels(context)
        second = None if self.encoder is None else context.vectors(self.encoder)
        with context.progress.stage("calibrate", 1, "filter") as report:
            made = calibrated(context, self.false_negatives, second)
            report(1, 1)
        if isinstance(made, int):
            why = f"{made} known positives could be hidden, and {LEAST}, of {LEAST} anchors, are needed"
            return self._by_margin(context, why)
        context.notes["frontier"] = [{**one.about(), "filter": self._setting(one)} for one in made.points]
        if made.several.fallback:
            alone = {} if made.single is None else {"single": made.single.about}
            self._note(context, {"fallback": made.several.fallback, "why": made.several.about["why"], **alone})
        else:
            context.hidden = made.hidden
            self._note(context, made.about)
        for one in made.parts:
            if not one.promised:
                whom = "" if one is made.several else "Anchors with one positive: "
                context.progress.say(whom + self._instead_of_a_promise(one))

        def gather(rows: Rows) -> Columns:
            found = made.judge(rows)
            return self._columns(found.rate, found.probability, found.nearest)

        return gather

    def check_stored(self, manifest: Mapping[str, Any]) -> None:
        """Raise OptionError where the stored rates were learnt with another second encoder, or with none."""
        learnt = manifest.get("calibrated", {"encoder": self.encoder}).get("encoder")
        if learnt != self.encoder:
            of_run = "without a second encoder" if learnt is None else f"with the second encoder '{learnt}'"
            raise OptionError(
                f"'{self}' cannot judge by this run's evidence, which was learnt {of_run}. "
                f"Use '{replace(self, encoder=learnt)}', or run 'hardneg mine' with this filter."
            )

    def judge(self, columns: Columns) -> Judgement:
        """Compare with the rate; what nobody has judged is suspect above it."""
        rate, probability = columns["false_negative_rate"], columns["positive_probability"]
        relation = columns["relation"]
        suspect = ((relation == Relation.UNKNOWN) | (relation == Relation.SHARED)) & (rate > self.false_negatives)
        figure = np.where(np.isnan(probability), rate, probability)
        return first_of(np.shape(rate), (suspect & (probability >= self.likely), figure), (suspect, figure))

    def _by_labels(self, context: Context) -> Gather:
        """Hide labels, and judge the items that have none."""
        if instead := _instead(context):
            raise OptionError(f"'{self}' learns what an item without a label looks like. {instead}")
        if self.encoder is not None:
            raise OptionError(
                f"'{self}' asks a second encoder about pairs, and of labelled items models say what is like a class. "
                "Leave 'encoder' out."
            )
        classes = context.classes(self.name)
        views = views_of(context, (), self.name, ~classes.labelled())
        usable = reduce(np.logical_and, (view.held_out & view.predicted for view in views))

        def likely(rows: Rows) -> NDArray[np.float64]:
            return np.column_stack([over_classes(rows, classes, view.of) for view in views]).astype(np.float64)

        with context.progress.stage("calibrate", 1, "filter") as report:
            made = calibrated_labels(context, self.false_negatives, likely, usable)
            report(1, 1)
        if isinstance(made, tuple):
            why = f"{made[0]} labels could be hidden, of {made[1]} anchors, and {ITEMS} of {LEAST} are needed"
            context.notes["calibrated"] = {"none_pass": why}
            context.progress.say(f"'{self}' cannot learn from these labels ({why}), so no item without a label passes.")
            labelled = classes.labelled()
            return lambda rows: self._columns(
                (~labelled[rows.item]).astype(np.float32), np.full(len(rows), np.nan, np.float32), _nowhere(rows)
            )
        context.notes["calibrated"] = dict(made.about)
        context.notes["frontier"] = [one.about() for one in made.points]
        if not made.promised:
            context.progress.say(
                f"'{self}' cannot be promised: of {made.about['hidden']} hidden labels the least bound is "
                f"{made.curve.bound[0]:.1%}. It goes by the estimated share instead. More labels, or a higher rate, "
                "would help."
            )

        def gather(rows: Rows) -> Columns:
            found = made.judge(rows)
            return self._columns(found.rate, found.probability, found.nearest)

        return gather

    def _note(self, context: Context, about: Mapping[str, Any]) -> None:
        """Tell the manifest what was learnt, and with which second encoder."""
        context.notes["calibrated"] = {**about, **({} if self.encoder is None else {"encoder": self.encoder})}

    def _setting(self, point: Point) -> str:
        """A point's filter; what was learnt is this very filter at another rate."""
        options = str(self).partition(", ")[2]  # all but the rate
        return f"{point.filter[:-1]}, {options}" if point.family == LEARNT and options else point.filter

    def _columns(self, *values: Array) -> Columns:
        return dict(zip(self.evidence, values, strict=True))

    def _instead_of_a_promise(self, made: Decision) -> str:
        """What decides, where nothing can be promised."""
        about = made.about
        if made.fallback:
            return f"'{self}' cannot keep its rate here ({about['why']}), so {made.fallback} takes its place."
        told = (
            f"'{self}' cannot be promised: of {about['hidden']} hidden positives the least bound is "
            f"{made.curve.bound[0]:.1%}. It goes by the estimated share instead, "
        )
        by = "by what was learnt" if about["decides"] == "calibrated" else f"by {made.rule or 'no filter at all'}"
        return f"{told}{by}: {about['why']}. More anchors with several positives, or a higher rate, would help."

    def _by_margin(self, context: Context, why: str) -> Gather:
        """What takes its place where nothing can be learnt: 0 for what passes, 1 for what does not."""
        rule = f"margin(relative={_RELATIVE}, reference=mean)"
        self._note(context, {"fallback": rule, "why": why})
        context.progress.say(f"'{self}' cannot learn from these data ({why}), so {rule} takes its place.")
        vectors, positive = context.vectors(None), context.positives.positive
        mean = reference_scores(positive, vectors.pairs)["mean"]

        def gather(rows: Rows) -> Columns:
            score = rows["score"] if "score" in rows.columns else vectors.pairs(rows.anchor, rows.item)
            close = too_close(score, mean[rows.anchor], None, _RELATIVE)[1]
            return self._columns(close.astype(np.float32), np.full(len(rows), np.nan, np.float32), _nowhere(rows))

        return gather


def _nowhere(rows: Rows) -> NDArray[np.int32]:
    """Of each row that no nearest positive is known."""
    return np.full(len(rows), -1, np.int32)


def _instead(context: Context) -> str:
    """What serves for data with classes whose labels cannot be hidden; empty where they can."""
    classes, columns = context.classes("calibrated"), context.positives.items.table.column_names
    if "hidden_score" in columns:
        return "Of a detector's boxes use --filter missing_label."
    if not classes.closed:
        return "Of groups use --filter 'margin(relative=0.05, reference=mean)'."
    if (classes.labelled() | context.positives.barred).all():
        return "All items have one here; for doubtful labels use --filter mislabelled."
    if classes.kind == "classes":
        return "A class as anchor is made of what would be hidden; use --filter unlabelled."
    if len(classes.names) == 1:
        return "Of one class no model can be trained; use --filter unlabelled."
    return ""
