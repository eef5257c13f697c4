"""What is seen of one candidate: the anchor, its positives, the item, and all that the run says of the pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardneg.decisions import Decision
from hardneg.ragged import IntArray
from hardneg.report.cards import best_positives
from hardneg.report.facts import State
from hardneg.report.numbers import number
from hardneg.report.reasons import meaning
from hardneg.review.desk import Desk
from hardneg.review.differences import Span, common_words, differences
from hardneg.review.media import Media, Shown, Side

__all__ = ["Pair", "Thing", "pair_of"]

_TEXT = 6000  # characters of a text that are shown
_SHOWN = 200  # characters of any other column
_NOT_SAID = {"id", "text", "path", "image", "audio", "box", "found_box", "scores", "scores_start", "step",
             "event_start", "event_end", "content", "width", "height"}  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """An anchor, a positive or an item: its id, its text in pieces, what is seen or heard, its other columns."""

    id: str
    text: list[Span] | None
    cut: int
    media: list[Shown]
    more: list[tuple[str, str]]
    label: str | None = None
    score: str = ""


@dataclass(frozen=True)
class Pair:
    """A candidate as it is shown. ``figures`` are names and values; ``votes`` the answers of others by name."""

    row: int
    anchor: Thing
    positives: list[Thing]
    positives_left: int
    item: Thing
    state: str
    reason: str
    figures: list[tuple[str, str]]
    answer: str
    votes: list[tuple[str, str]]


def pair_of(
    desk: Desk, media: Media, row: int, who: str, reviewers: Mapping[str, Mapping[int, Decision]], positives: int = 3
) -> Pair:
    """Everything about a candidate, with what it was answered by ``who`` and, once they have, by others."""
    facts, run = desk.facts, desk.run
    anchor, item = int(facts.anchor[row]), int(facts.item[row])
    found, places = best_positives(facts, np.array([anchor]))[0]
    best, scores = found[:positives], run.positive_scores[places[:positives]]
    anchor_text, item_text = _text(desk, "anchor", anchor), _text(desk, "item", item)
    best_text = _text(desk, "item", int(best[0])) if len(best) else None
    common = common_words(anchor_text)
    mine = reviewers.get(who, {}).get(row)
    others = [(name, str(given[row].answer)) for name, given in reviewers.items() if name != who and row in given]
    return Pair(
        row,
        _thing(desk, media, "anchor", anchor, [] if anchor_text is None else [(anchor_text[:_TEXT], "")]),
        [
            _thing(desk, media, "item", int(one), _spans(desk, int(one), item_text, common), number(float(score)))
            for one, score in zip(best, scores, strict=True)
        ],
        int(facts.positive.lengths()[anchor]) - len(best),
        _thing(desk, media, "item", item, _spans(desk, item, best_text, common)),
        State(facts.state[row]).name.lower(),
        _reason(desk, row),
        _figures(desk, row),
        "" if mine is None else mine.answer,
        others if mine is not None else [],  # what others said must not lead the one who has not answered yet
    )


def _text(desk: Desk, side: Side, row: int) -> str | None:
    texts = (desk.run.anchors if side == "anchor" else desk.run.items).texts
    return None if texts is None else texts[row].as_py()


def _spans(desk: Desk, row: int, other: str | None, common: frozenset[str]) -> list[Span]:
    text = _text(desk, "item", row)
    return [] if text is None else differences(text[:_TEXT], other, common)


def _thing(desk: Desk, media: Media, side: Side, row: int, spans: list[Span], score: str = "") -> Thing:
    things = desk.run.anchors if side == "anchor" else desk.run.items
    text = _text(desk, side, row)
    own = int(desk.facts.own[row]) if side == "anchor" else -1
    at: IntArray = np.array([row])
    labels = desk.facts.anchor_labels(at) if side == "anchor" else desk.facts.item_labels(at)
    names = [name for name in things.table.column_names if name not in _NOT_SAID]
    values = [(name, things.table.column(name)[row].as_py()) for name in names]
    more = [(name, str(value)[:_SHOWN]) for name, value in values if _is_news(value, labels[0], text)]
    seen = media.of("item", own) if own >= 0 else media.of(side, row)
    cut = max(0, len(text) - _TEXT) if text else 0
    return Thing(str(things.ids[row].as_py()), None if text is None else spans, cut, seen, more, labels[0], score)


def _is_news(value: object, label: str | None, text: str | None) -> bool:
    """Whether a column says what is not said already: as the label, or within the text."""
    within = text is not None and isinstance(value, str) and len(value) > 20 and value[:_SHOWN] in text
    return value is not None and value != label and not within


def _reason(desk: Desk, row: int) -> str:
    """The reason of the verdict in words, with the figure that decided."""
    facts = desk.facts
    name = facts.reason.names[facts.reason.codes[row]]
    if not name:
        return "No filter spoke against it"
    words, figure = meaning(name), float(facts.evidence[row])
    if not words.figure or np.isnan(figure):
        return f"{words.title} ({name})"
    gap = f"{number(abs(figure))} {'below' if figure < 0 else 'above'}"
    return f"{words.title}: {words.figure.replace('{gap}', gap).replace('{}', number(figure))} ({name})"


def _figures(desk: Desk, row: int) -> list[tuple[str, str]]:
    facts = desk.facts
    gap = float(facts.score[row] - facts.positive_score[row])
    below = "" if np.isnan(gap) else f" ({number(abs(gap))} {'below' if gap < 0 else 'above'} the positive)"
    rank = int(facts.rank[row])
    out = [
        ("Score", number(float(facts.score[row])) + below),
        ("Rank", "–" if rank < 0 else f"{rank:,}"),
        ("Source", facts.source.names[facts.source.codes[row]].replace("+", " + ")),
        ("Grade", facts.grade.names[facts.grade.codes[row]].replace("_", "-")),
        ("Item mined", f"{int(desk.mined[facts.item[row]]):,} times"),
    ]
    evidence = ((name.replace("_", " ").capitalize(), float(values[row])) for name, values in desk.evidence.items())
    return out + [(name, number(value)) for name, value in evidence if not np.isnan(value)]
