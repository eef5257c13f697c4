"""What a detector found where nothing is labelled: a hard negative, a missing label, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.classes import coded
from hardneg.context import Context
from hardneg.errors import InputError
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of
from hardneg.filters._classes import over_classes
from hardneg.notation import require
from hardneg.predict import Logistic, conformal_p_values, told_apart
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Relation, Rows, Verdict

__all__ = ["MissingLabel"]

Figures = NDArray[np.floating[Any]]
_HALF = 0.5  # of the frames around
_NEEDED = ("predicted", "detector_score", "hidden_score")


@dataclass(frozen=True)
class MissingLabel(Filter):
    """Suspects what a detector found on a background and what may be a thing that nobody labelled.

    The user's own labels say what a missing one looks like. Each known box is taken as hidden once: where the detection
    that found it would then be one of a background, it is a planted missing label (the column ``hidden_score``). A
    logistic regression tells these from the backgrounds; it never judges an image that it was fitted to. Its features
    are the detector's score; of crops the probability of the category by the labels (a logistic regression on vectors)
    and that of being a thing and no background, both held out by image too; and the score of a second detector where
    there is one; in films how often and how surely the frames around have the same. What recurs among the backgrounds
    of several images and never among the things is a systematic mistake, and looks like one; what flickers is one, too.

    The figure is a conformal p-value: the share of the planted missing labels that look no more like things than this
    detection. At most ``error`` of the missing labels therefore pass for negatives, if these are a random part of the
    things that the detector finds apart from others. Labels that were left out because they are small, dark or far away
    are not, and more of them pass. A detector may frame things otherwise than the annotators (a nucleus, not the cell),
    so a hidden label is looked at in the box of the detection that found it, as a missing one is (``found_box`` of the
    items). Frames of one film show the same things again, so all of a film is held out together, or stretches of it
    where there are few films.

    In films another rule needs no model: what at least half of the frames around have labelled at this place, and this
    one has not, is suspect whatever the p-value says (``frames``). That no frame around has it labelled says nothing:
    nobody may ever have labelled it.

    Args:
        error: at most this share of the missing labels that the detector found may pass for negatives.
        likely: from which probability of being a thing a label is likely missing, below it nobody knows. Of detections
            with the probability 0.5 half are of things that are labelled.
    """

    name: ClassVar[str] = "missing_label"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("frames", Verdict.SUSPECT),
        Rule("likely", Verdict.SUSPECT),
        Rule("unsure", Verdict.SUSPECT),
    )
    needs_model: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True

    error: float = 0.15
    likely: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.error < 1, "error", "above 0 and below 1", self.error)
        require(0 < self.likely < 1, "likely", "above 0 and below 1", self.likely)

    @property
    def evidence(self) -> tuple[str, ...]:
        """Of each background as what it was taken for; NaN of any other pair.

        ``missing``: the p-value of being a missing label, of all evidence; ``missing_by_score``: of the detector's
        score alone; ``missing_by_look``: of the likeness to the category, NaN without pictures; ``thing``: the
        probability of being a thing; ``agreed``: the second detector's score, NaN where there is none; ``seen`` and
        ``labelled``: the share of the frames around that have it, and that have it labelled, NaN where there are none.
        """
        return ("missing", "missing_by_score", "missing_by_look", "thing", "agreed", "seen", "labelled")

    def gather(self, context: Context) -> Gather:
        """Learn from the hidden boxes, and compare each background with them.

        Raises InputError for items that lack what a detector said.
        """
        classes, items = context.classes(self.name), context.positives.items.table
        for name in _NEEDED:
            if name not in items.column_names:
                raise InputError(
                    f"'{self.name}' needs items with the column '{name}'.",
                    remedy="They come from Positives.from_boxes, or: hardneg mine boxes.json --predictions found.json",
                )
        predicted = Ragged.from_codes(coded(items.column("predicted"), pa.array(classes.names, pa.string())))
        cases = _Cases.of(context, predicted)
        self._tell(context, int(cases.planted.sum()), len(cases.rows))
        table = cases.evidence(len(context.positives.items), context.seed)

        def gather(rows: Rows) -> Columns:
            def told(figures: Figures) -> FloatArray:
                def figure(item: IntArray, of: IntArray) -> FloatArray:
                    return np.where(predicted.contains(item, of), figures[item], np.nan).astype(np.float32)

                return over_classes(rows, classes, figure)

            return {name: told(table[name]) for name in self.evidence}

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """What the p-value does not rule out may be a missing label; what nothing was said of is unsure."""
        unknown, missing = columns["relation"] == Relation.UNKNOWN, np.nan_to_num(columns["missing"], nan=1.0)
        maybe, labelled = unknown & (missing >= self.error), np.nan_to_num(columns["labelled"])
        return first_of(
            missing.shape,
            (unknown & (labelled >= _HALF), labelled),
            (maybe & (columns["thing"] >= self.likely), columns["thing"]),
            (maybe, missing),
        )

    def _tell(self, context: Context, planted: int, cases: int) -> None:
        """Note how many there are to learn from; with too few no background can be ruled out, which is said aloud."""
        context.notes["missing_label"] = {"planted": planted, "backgrounds": cases - planted}
        if cases > planted and (1 + planted) * self.error <= 1:
            context.progress.say(
                f"'{self.name}' has {planted} labelled boxes to hide, too few to rule a missing label out at an error "
                f"of {self.error:g}, so every background is unsure. Label more, or raise 'error'."
            )


@dataclass(frozen=True, eq=False)
class _Cases:
    """The planted missing labels and the backgrounds: where they are among the items, and what is known of them."""

    rows: IntArray
    planted: BoolArray
    image: IntArray
    score: Figures
    second: Figures | None
    frames: Mapping[str, Figures] | None
    vectors: Figures | None
    member: Figures | None

    @classmethod
    def of(cls, context: Context, predicted: Ragged) -> _Cases:
        """The items that may be mined and have a score, but for confusions, which are labelled."""
        positives, items, classes = context.positives, context.positives.items, context.classes(MissingLabel.name)
        hidden, found = (_figures(items.table, name) for name in ("hidden_score", "detector_score"))
        background = ~np.isnan(found) & ~classes.labelled() & (predicted.lengths() > 0)
        rows = np.flatnonzero((background | ~np.isnan(hidden)) & ~positives.barred)
        category = np.where(background, _first(predicted), _first(Ragged.from_codes(classes.items)))[rows]
        groups = items.table.column("group").combine_chunks().dictionary_encode("encode").indices.to_numpy()
        second = _figures(items.table, "second_score") if "second_score" in items.table.column_names else None
        pictured = items.pictures is not None and len(rows) > 0
        several = pictured and len(classes.names) > 1  # of one class no model can be trained
        return cls(
            rows,
            ~background[rows],
            groups[rows].astype(np.int64),
            np.where(background, found, hidden)[rows],
            None if second is None else np.nan_to_num(second[rows]),
            _frames(items.table, rows),
            np.asarray(context.vectors(None).items[:], np.float32)[rows] if pictured else None,
            context.predictions("logistic", MissingLabel.name).of(rows, category) if several else None,
        )

    def look(self, seed: int) -> Figures | None:
        """The probability of each to be a thing by its crop alone, of a model that had not seen the image."""
        if self.vectors is None or min(self.planted.sum(), (~self.planted).sum()) < 2:
            return None
        codes, names = self.planted.astype(np.int64), ("background", "thing")
        return Logistic(C=10.0).predict(self.vectors, codes, names, self.image, seed).probabilities[:, 1]

    def evidence(self, items: int, seed: int) -> dict[str, Figures]:
        """The columns of :class:`MissingLabel`, of each of ``items`` items; NaN of those that are no cases."""
        look = self.look(seed)
        views = [_log_odds(one) for one in (self.score, self.member, look) if one is not None]
        views += [] if self.second is None else [self.second, np.where(self.second > 0, 1.0, 0.0)]
        views += [] if self.frames is None else [_filled(self.frames[name]) for name in ("seen", "score")]
        thing = told_apart(np.column_stack(views), self.planted, self.image, seed)
        alike = look if self.member is None else self.member
        nothing = np.full(len(self.rows), np.nan)
        told = {
            "missing": self._p_values(thing),
            "missing_by_score": self._p_values(self.score),
            "missing_by_look": nothing if alike is None else self._p_values(alike),
            "thing": thing,
            "agreed": nothing if self.second is None else self.second,
            "seen": nothing if self.frames is None else self.frames["seen"],
            "labelled": nothing if self.frames is None else self.frames["labelled"],
        }
        out = {name: np.full(items, np.nan, np.float32) for name in told}
        for name, figures in told.items():
            out[name][self.rows] = figures
        return out

    def _p_values(self, figures: Figures) -> Figures:
        return conformal_p_values(figures, figures[self.planted])


def _first(lists: Ragged) -> IntArray:
    """The first of each row, -1 of an empty one."""
    out, some = np.full(len(lists), -1, np.int64), lists.lengths() > 0
    out[some] = lists.values[lists.offsets[:-1][some]]
    return out


def _figures(table: pa.Table, name: str) -> Figures:
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(), np.float64)


def _log_odds(probability: Figures) -> Figures:
    clipped = np.clip(np.asarray(probability, np.float64), 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _frames(table: pa.Table, rows: IntArray) -> dict[str, Figures] | None:
    """The shares of the frames around that have these items, and have them labelled, and the mean score there."""
    if "frames_near" not in table.column_names:
        return None
    near, seen, labelled, score = (
        _figures(table, name)[rows] for name in ("frames_near", "frames_seen", "frames_labelled", "score_near")
    )
    return {"seen": seen / near, "labelled": labelled / near, "score": score}


def _filled(figures: Figures) -> Figures:
    """The figures, with the mean where there is none."""
    known = figures[~np.isnan(figures)]
    return np.where(np.isnan(figures), known.mean() if len(known) else 0.0, figures)
