"""Neighbours mostly of one's own class, which is excluded: ruled out while searching, or fetched and left out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.search import peers
from benchmarks.search.data import Store, with_classes
from benchmarks.search.kit import Floats, Ints, as_table, best, opening, prepared, save, say
from hardneg.search import Constraints, Exact, Unlike

SIZES = [100_000]
K, CLASSES = 100, 10
STRENGTHS = (0.4, 0.7, 1.0)
_ROOM = 2**24  # candidates that FAISS returns at a time
_NAMES = {
    "exact": "Exact, unlike labels",
    "doubling": "FAISS, k doubled until all are filled",
    "at once": "FAISS, the last of these k at once",
    "apart": "FAISS, an index a class, nine asked and merged",
}
HEAD = ("own class among 100 nearest", "side", "seconds", "k fetched", "times as long as Exact")


class OverFetched:
    """FAISS asked for ``start`` neighbours, then twice as many, until each anchor has K of another class."""

    def __init__(self, index: Any, anchors: Floats, mine: Ints, theirs: Ints) -> None:
        self._index, self._anchors, self._mine, self._theirs = index, anchors, mine, theirs
        self.last = 0
        self.out = np.full((len(anchors), K), -1, np.int64)

    def __call__(self, start: int) -> Ints:
        """The answers, shape ``(n, K)``."""
        waiting, self.last = np.arange(len(self._anchors)), start // 2
        while len(waiting) and self.last < len(self._theirs):
            self.last = min(2 * self.last, len(self._theirs))
            size = max(1, _ROOM // self.last)
            parts = [waiting[at : at + size] for at in range(0, len(waiting), size)]
            waiting = np.concatenate([rows[~self._filled(rows)] for rows in parts])
        return self.out

    def _filled(self, rows: Ints) -> Any:
        found = self._index.search(self._anchors[rows], self.last)[1]
        fit = self._theirs[found] != self._mine[rows, None]
        full = np.count_nonzero(fit, axis=1) >= K
        first = fit[full] & (np.cumsum(fit[full], axis=1, dtype=np.int32) <= K)
        self.out[rows[full]] = found[full][first].reshape(-1, K)
        return full


def apart(anchors: Floats, items: Floats, mine: Ints, theirs: Ints) -> Callable[[], Ints]:
    """An index for each class; an anchor asks those of the others, and what comes back is merged."""
    members = [np.flatnonzero(theirs == one) for one in range(CLASSES)]
    indexes = [peers.flat(items[rows]) for rows in members]

    def run() -> Ints:
        scores = np.full((len(anchors), CLASSES * K), -np.inf, np.float32)
        found = np.full((len(anchors), CLASSES * K), -1, np.int64)
        for one, index in enumerate(indexes):
            rows, columns = np.flatnonzero(mine != one), slice(one * K, (one + 1) * K)
            scores[rows, columns], places = index.search(anchors[rows], K)
            found[rows, columns] = members[one][places]
        best_k = np.argpartition(-scores, K, axis=1)[:, :K]
        return np.asarray(np.take_along_axis(found, best_k, axis=1))

    return run


def measure(options: Namespace) -> dict[str, Any]:
    """All sides, for classes that lie apart more and more."""
    store = Store(options.work, max(options.sizes), options.short)
    rows = [row for count in options.sizes for strength in STRENGTHS for row in _one(store, count, strength, options)]
    return save("labels", options, {"rows": rows, "k": K})


def _one(store: Store, count: int, strength: float, options: Namespace) -> list[dict[str, Any]]:
    rng, asked = np.random.default_rng(4), options.anchors or 2048
    mine, theirs = (np.arange(n) % CLASSES for n in (asked, count))
    rng.shuffle(mine), rng.shuffle(theirs)
    anchors = with_classes(store.anchors(asked), mine, strength)
    items = with_classes(store.items(count), theirs, strength)
    index = peers.flat(items)
    own = float((theirs[index.search(anchors[:512], K)[1]] == mine[:512, None]).mean())
    limits = replace(Constraints.none(asked, count), unlike=(Unlike(mine, theirs),))
    search, every = prepared(Exact(), anchors, items, K, limits)[1], np.arange(asked)
    fetched = OverFetched(index, anchors, mine, theirs)
    truth, doubled = as_table(search(every), K), fetched(2 * K)
    last, merged = fetched.last, apart(anchors, items, mine, theirs)
    for name, other in (("doubling", doubled), ("apart", merged())):
        agree = np.mean([len(np.intersect1d(*pair)) / K for pair in zip(truth, other, strict=True)])
        say(f"{name} and Exact agree on {agree:.4%}")
    sides = {
        "exact": lambda: search(every),
        "doubling": lambda: fetched(2 * K),
        "at once": lambda: fetched(last),
        "apart": merged,
    }
    seconds = best(sides, options.repeat, f"{own:.1%} own")
    return [
        {"items": count, "anchors": asked, "strength": strength, "own": own, "side": side, "seconds": taken,
         "last": last if side in ("doubling", "at once") else K, "ratio": taken / seconds["exact"]}
        for side, taken in seconds.items()
    ]  # fmt: skip


def report(saved: Mapping[str, Any]) -> str:
    """The table, and what it shows."""
    rows = saved["rows"]
    lines = [
        [f"{row['own']:.1%}", _NAMES[row["side"]], f"{row['seconds']:.2f}", f"{row['last']:,}", f"{row['ratio']:.2f}"]
        for row in rows
    ]
    ratios = [row["ratio"] for row in rows if row["side"] == "doubling"]
    sizes = ", ".join(dict.fromkeys(f"{row['items']:,}" for row in rows))
    return "\n\n".join(
        [
            "## Equal labels excluded",
            opening(saved),
            machine.table(HEAD, lines),
            f"Ten balanced classes, {sizes} items, {rows[0]['anchors']:,} anchors, k = {saved['k']} of another class. "
            "The vectors of a class are moved towards a centre of their own, so that it fills most of the nearest. "
            "Index building is apart. *The last k at once* is what over-fetching would take if one knew k beforehand. "
            "*An index a class* is what one can build by hand for one label with few values.",
            f"Fetching more and more takes {min(ratios):.1f} to {max(ratios):.1f} times as long as Exact (aim: 3).",
        ]
    )
