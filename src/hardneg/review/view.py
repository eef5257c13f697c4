"""What a reviewer has asked to see: a queue, filters and an order, as they stand in the address of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.errors import OptionError
from hardneg.ragged import BoolArray, IntArray
from hardneg.report.facts import Coded, State
from hardneg.review.answers import Answers
from hardneg.review.desk import Desk
from hardneg.review.queues import QUEUES, Queue

__all__ = ["ANSWERED", "LAYOUTS", "View", "listed"]

LAYOUTS = ("one", "grid")
ANSWERED = ("mine", "nobody", "anybody", "disputed")
_NAME = 60  # characters of a reviewer's name


@dataclass(frozen=True)
class View:
    """Which candidates, in what order and how. All fields are text, empty for no choice.

    Args:
        who: the reviewer's name.
        queue: one of the queues.
        layout: ``one`` at a time, or a ``grid``.
        state, reason, source, grade: what a candidate must have.
        answered: ``mine`` (I have answered), ``nobody`` has, ``anybody`` has, or it is ``disputed``.
        search: words in the ids or texts of anchor or item.
        sort: a column to sort by instead of the queue's order; ``down`` says from which end.
        least, most: bounds on that column.
    """

    who: str = ""
    queue: str = "doubt"
    layout: str = "one"
    state: str = ""
    reason: str = ""
    source: str = ""
    grade: str = ""
    answered: str = ""
    search: str = ""
    sort: str = ""
    down: str = "1"
    least: str = ""
    most: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> View:
        """The view that a query string asks for; what is not known is passed over.

        >>> View.from_query({"who": " ada ", "queue": "harm", "x": "y"}).query()
        'who=ada&queue=harm'
        """
        known = {one.name for one in fields(cls)}
        found = cls(**{name: value.strip() for name, value in query.items() if name in known})
        return replace(found, who=" ".join(found.who.split())[:_NAME], search=found.search[:200])

    def checked(self, desk: Desk, queues: Mapping[str, Queue] = QUEUES) -> View:
        """The view, or an OptionError that says what there is instead."""
        facts = desk.facts
        for name, value, there in (
            ("queue", self.queue, list(queues)),
            ("layout", self.layout, list(LAYOUTS)),
            ("state", self.state, [one.name.lower() for one in State]),
            ("reason", self.reason, facts.reason.names),
            ("source", self.source, facts.source.names),
            ("grade", self.grade, facts.grade.names),
            ("answered", self.answered, list(ANSWERED)),
            ("sort", self.sort, list(desk.columns)),
        ):
            if value and value not in there:
                raise OptionError(f"The '{name}' must be one of {', '.join(there)}. Got '{value}'.")
        for name, value in (("least", self.least), ("most", self.most)):
            if value and not _is_number(value):
                raise OptionError(f"The '{name}' must be a number. Got '{value}'.")
        return self

    @property
    def narrowed(self) -> bool:
        """Whether there is any filter."""
        return any(
            (self.state, self.reason, self.source, self.grade, self.answered, self.search, self.least, self.most)
        )

    def query(self, **changes: Any) -> str:
        """The query string of this view, with some fields changed and further ones added; defaults are left out."""
        usual = asdict(View())
        wanted = {**asdict(self), **{name: str(value) for name, value in changes.items()}}
        return urlencode({name: value for name, value in wanted.items() if value != usual.get(name)})


def listed(desk: Desk, answers: Answers, view: View, queues: Mapping[str, Queue] = QUEUES) -> IntArray:
    """The candidates of a view, in its order."""
    facts, rows = desk.facts, queues[view.queue].rows(desk)
    keep = np.ones(len(rows), bool)
    if view.state:
        keep &= facts.state[rows] == State[view.state.upper()]
    for coded, wanted in ((facts.reason, view.reason), (facts.source, view.source), (facts.grade, view.grade)):
        if wanted:
            keep &= _is(coded, wanted)[rows]
    if view.search:
        keep &= (
            _said(desk.run.anchors, view.search)[facts.anchor[rows]]
            | _said(desk.run.items, view.search)[facts.item[rows]]
        )
    if view.sort:
        values = desk.columns[view.sort][rows]
        for bound, worse in ((view.least, np.less), (view.most, np.greater)):
            if bound:
                keep &= ~worse(values, float(bound)) & ~np.isnan(values.astype(float))
    if view.answered:
        keep &= _answered(answers, view)[rows]
    rows = rows[keep]
    if view.sort:
        values = desk.columns[view.sort][rows].astype(float)
        rows = rows[np.lexsort((rows, -values if view.down == "1" else values))]
    return np.asarray(rows)


def _answered(answers: Answers, view: View) -> BoolArray:
    if view.answered == "disputed":
        return answers.disputed()
    if view.answered == "mine":
        return answers.answered(view.who)
    anybody = answers.answered()
    return ~anybody if view.answered == "nobody" else anybody


def _is(coded: Coded, name: str) -> BoolArray:
    return np.asarray(coded.codes == coded.names.index(name)) if len(coded.codes) else np.zeros(0, bool)


def _said(things: Collection, words: str) -> BoolArray:
    """Which things have these words in their id or text."""
    columns = [things.ids.cast(pa.string())] + ([] if things.texts is None else [things.texts])
    out = np.zeros(len(things), bool)
    for one in columns:
        found = pc.fill_null(pc.match_substring(one, words, ignore_case=True), False)
        out |= np.array(found.to_pylist(), bool)
    return out


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
