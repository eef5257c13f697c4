"""What a reviewer sees: one candidate or a grid of them, where they stand in the list, and how far the work is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.agreement import agreement
from hardneg.decisions import ANSWERS
from hardneg.ragged import BoolArray, IntArray
from hardneg.report.facts import State
from hardneg.review.answers import Answers
from hardneg.review.desk import Desk
from hardneg.review.media import Media
from hardneg.review.pages import page
from hardneg.review.queues import QUEUES
from hardneg.review.sampled import Sampled
from hardneg.review.shown import pair_of
from hardneg.review.view import ANSWERED, LAYOUTS, View, listed

__all__ = ["GRID", "Place", "Screens", "place_of"]

GRID = 12  # candidates on a page of the grid


@dataclass(frozen=True)
class Place:
    """Where one stands in a list: its length, how many of it are answered, the candidate shown and its neighbours.

    ``row`` is None at the end of the list; ``number`` counts from 1.
    """

    total: int
    done: int
    row: int | None = None
    number: int = 0
    before: int | None = None
    next: int | None = None


def place_of(rows: IntArray, answered: BoolArray, at: int | None = None, after: int | None = None) -> Place:
    """The place of candidate ``at``; else of the first unanswered one behind ``after``, or of the first of all.

    >>> place_of(np.array([7, 3, 5]), np.array([True, False, False])).row
    3
    """
    total, done = len(rows), int(answered.sum())
    found = np.flatnonzero(rows == at) if at is not None else np.zeros(0, int)
    if not len(found):
        left = np.flatnonzero(~answered)
        behind = np.flatnonzero(rows == after) if after is not None else np.zeros(0, int)
        later = left[left > behind[0]] if len(behind) else left
        found = later if len(later) else left
    if not len(found):
        return Place(total, done)
    here = int(found[0])
    before = int(rows[here - 1]) if here else None
    return Place(total, done, int(rows[here]), here + 1, before, int(rows[here + 1]) if here + 1 < total else None)


class Screens:
    """Makes the pages that show candidates."""

    def __init__(self, desk: Desk, answers: Answers, media: Media) -> None:
        self._desk, self._answers, self._media = desk, answers, media
        self._sampled = Sampled.of(desk)
        self._queues = QUEUES if self._sampled is None else QUEUES | {"sample": self._sampled.queue}
        self._kept: tuple[View, IntArray] | None = None

    def checked(self, view: View) -> View:
        """The view, or an OptionError."""
        return view.checked(self._desk, self._queues)

    def drawn(self, view: View, row: int) -> tuple[str, float] | None:
        """The stratum and weight with which an answer counts for the audit; None for what was chosen by hand."""
        by_hand = self._sampled is None or view.queue != "sample" or view.narrowed or bool(view.sort)
        return None if by_hand or self._sampled is None else self._sampled.drawn(row)

    def one(self, view: View, at: int | None, after: int | None) -> str:
        """The page with one candidate."""
        rows, reviewers = self._rows(view), self._answers.reviewers
        place = place_of(rows, self._answers.answered(view.who)[rows], at, after)
        if place.row is None and at is not None and 0 <= at < len(self._desk):
            place = Place(place.total, place.done, at)  # no longer in this list, such as one that was just answered
        pair = None if place.row is None else pair_of(self._desk, self._media, place.row, view.who, reviewers)
        return page("one", pair=pair, place=place, **self._around(view))

    def grid(self, view: View, number: int | None) -> str:
        """The page with several: the first with something to answer, unless another was asked for."""
        rows, reviewers = self._rows(view), self._answers.reviewers
        answered = self._answers.answered(view.who)[rows]
        left = np.flatnonzero(~answered)
        pages = max(1, -(-len(rows) // GRID))
        number = min(pages, max(1, (int(left[0]) // GRID + 1 if len(left) else 1) if number is None else number))
        shown = rows[(number - 1) * GRID : number * GRID]
        pairs = [pair_of(self._desk, self._media, int(row), view.who, reviewers, positives=1) for row in shown]
        place = Place(len(rows), int(answered.sum()))
        return page("grid", pairs=pairs, place=place, number=number, pages=pages, **self._around(view))

    def _rows(self, view: View) -> IntArray:
        """The list of a view; kept for the next answer where no answer can change it."""
        key = View.from_query({**vars(view), "who": "", "layout": "one"})
        if view.answered:
            return listed(self._desk, self._answers, view, self._queues)
        if self._kept is None or self._kept[0] != key:
            self._kept = key, listed(self._desk, self._answers, view, self._queues)
        return self._kept[1]

    def _around(self, view: View) -> dict[str, object]:
        """What stands around the candidates on both pages."""
        facts = self._desk.facts
        found = agreement(self._answers.reviewers)
        return {
            "view": view,
            "run": self._desk.run.path.name,
            "queues": list(self._queues.values()),
            "queue": self._queues[view.queue],
            "layouts": LAYOUTS,
            "answers": ANSWERS,
            "choices": {
                "state": [one.name.lower() for one in State],
                "reason": [one for one in sorted(facts.reason.names) if one],
                "source": sorted(facts.source.names),
                "grade": sorted(facts.grade.names),
                "answered": ANSWERED,
            },
            "columns": list(self._desk.columns),
            "mine": sum(found.counts.get(view.who, {}).values()),
            "agreement": found,
            "share": None if self._sampled is None else self._sampled.share(self._answers.path, self._answers.lines),
        }
