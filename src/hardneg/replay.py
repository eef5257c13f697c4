"""Decisions made before, on the same things again: found by their ids, or under other ids by their content.

An id that now stands for another content is not the same thing. What people said never takes away a label of the data:
such a decision is counted as ``against_labels`` and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardneg.collection import Collection, Id
from hardneg.contents import content_keys
from hardneg.decisions import Answer, Decision, settled
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged

__all__ = ["COUNTS", "Replay", "replayed"]

COUNTS = (
    "by_id", "by_content", "unmatched", "changed", "disputed", "skipped", "against_labels",
    "positive", "negative", "ignored",
)  # fmt: skip
_RELATION: Mapping[Answer, str] = {"positive": "positive", "negative": "negative", "ignore": "ignored"}


@dataclass(frozen=True, eq=False)
class Replay:
    """Relations with decisions in them.

    Args:
        positives: the relations.
        counts: how many pairs were found ``by_id`` and ``by_content``; how many were not: ``unmatched`` (neither id
            nor content is there), ``changed`` (the id is, with another content); how many have no one answer:
            ``disputed``, ``skipped``; how many are ``against_labels``; and how many of the found became ``positive``,
            ``negative`` and ``ignored``.
        anchor, item, relation: the pairs that took effect, as row numbers and names of relations.
    """

    positives: Positives
    counts: dict[str, int]
    anchor: IntArray
    item: IntArray
    relation: tuple[str, ...]


def replayed(positives: Positives, decisions: Sequence[Decision]) -> Replay:
    """Put what people decided into relations: positive, known negative or ignored.

    Of several reviewers the majority counts; see :func:`hardneg.decisions.settled`.

    >>> from hardneg.decisions import now
    >>> faq = Positives.from_pairs(["q"], ["a"], items=Collection.of(["a", "b", "c"]))
    >>> said = [Decision("q", "b", "positive", "ada", now()), Decision("q", "x", "negative", "ada", now())]
    >>> found = replayed(faq, said)
    >>> found.positives.positive[0].tolist(), found.counts["by_id"], found.counts["unmatched"]
    ([0, 1], 1, 1)
    """
    counts = Counter(dict.fromkeys(COUNTS, 0))
    answers: dict[tuple[Id, Id], Answer] = {}
    for pair, one in settled(decisions).items():
        if one.answer is None:
            counts["disputed" if one.disputed else "skipped"] += 1
        else:
            answers[pair] = one.answer
    contents = {(one.anchor, one.item): (one.anchor_content, one.item_content) for one in decisions}
    pairs = list(answers)
    sides = (
        _found(positives.anchors, [pair[0] for pair in pairs], [contents[pair][0] for pair in pairs]),
        _found(positives.items, [pair[1] for pair in pairs], [contents[pair][1] for pair in pairs]),
    )
    rows: dict[tuple[int, int], str] = {}
    for pair, anchor, item in zip(pairs, *sides, strict=True):
        counts[_how(anchor, item)] += 1
        for left in anchor.rows:
            rows.update({(left, right): _RELATION[answers[pair]] for right in item.rows})
    return _put(positives, rows, counts)


@dataclass(frozen=True)
class _Found:
    """The rows that an id or a content stands for; ``changed``: the id is there with another content."""

    rows: list[int]
    by_id: bool = False
    changed: bool = False


def _how(anchor: _Found, item: _Found) -> str:
    if anchor.rows and item.rows:
        return "by_id" if anchor.by_id and item.by_id else "by_content"
    return "changed" if anchor.changed or item.changed else "unmatched"


def _found(things: Collection, ids: Sequence[Id], contents: Sequence[str | None]) -> list[_Found]:
    """Where each thing is, by id where the content is the same too, else by content, which may be several's."""
    if not ids:
        return []
    rows = things.positions(list(ids))
    there = np.flatnonzero(rows >= 0)
    known = dict(zip(there.tolist(), content_keys(things, rows[there]), strict=True))
    out = [_Found([])] * len(ids)
    sought: dict[str, list[int]] = {}
    for at, content in enumerate(contents):
        row, now_is = int(rows[at]), known.get(at)
        changed = row >= 0 and content is not None and now_is is not None and content != now_is
        if row >= 0 and not changed:
            out[at] = _Found([row], by_id=True)
        else:
            out[at] = _Found([], changed=changed)
            if content is not None:
                sought.setdefault(content, []).append(at)
    for content, same in (_with_contents(things, set(sought)) if sought else {}).items():
        for at in sought[content]:
            out[at] = _Found(same, changed=out[at].changed)
    return out


def _with_contents(things: Collection, wanted: set[str]) -> dict[str, list[int]]:
    """The rows of each content. Looks at everything, so it is asked only for what ids do not find."""
    found: dict[str, list[int]] = {}
    if not {one.partition(":")[0] for one in wanted} & _kinds(things):
        return found
    for row, content in enumerate(content_keys(things, np.arange(len(things)))):
        if content in wanted:
            found.setdefault(str(content), []).append(row)
    return found


def _kinds(things: Collection) -> set[str]:
    media = {"sound": things.sounds, "picture": things.pictures, "text": things.texts}
    return {name for name, one in media.items() if one is not None}


def _put(positives: Positives, rows: Mapping[tuple[int, int], str], counts: Counter[str]) -> Replay:
    """The relations with these pairs in them, but for those that contradict what the data say."""
    pairs = np.array(list(rows), np.int64).reshape(-1, 2)
    anchor, item, names = pairs[:, 0], pairs[:, 1], np.array(list(rows.values()), object)
    against = _labelled(positives, anchor, item) & (names != "positive")
    against |= positives.ignored.contains(anchor, item) & (names == "negative")
    against |= positives.own[anchor] == item
    counts["against_labels"] = int(against.sum())
    anchor, item, names = anchor[~against], item[~against], names[~against]
    lists = {}
    for name, one in positives.lists().items():
        mine = names == name
        counts[name] = int(mine.sum())
        moved = Ragged.from_pairs(anchor[~mine], item[~mine], len(one))
        kept = one.where(~moved.contains(one.rows(), one.values))
        lists[name] = kept.merged(Ragged.from_pairs(anchor[mine], item[mine], len(one)))
    made = replace(positives, positive=lists["positive"], negative=lists["negative"], ignored=lists["ignored"])
    return Replay(made, dict(counts), anchor, item, tuple(names.tolist()))


def _labelled(positives: Positives, anchor: IntArray, item: IntArray) -> BoolArray:
    """Which pairs the data themselves call positive."""
    listed = positives.positive.contains(anchor, item)
    return listed if positives.classes is None else listed | positives.classes.share(anchor, item)
