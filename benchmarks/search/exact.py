"""Exact search next to the bare matrix product on the same blocks, FAISS, scikit-learn and sentence-transformers."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import machine
from benchmarks.search import peers
from benchmarks.search.data import Store
from benchmarks.search.kit import Floats, best, found_share, opening, prepared, save, say, timed
from hardneg.parallel import threads
from hardneg.ragged import Ragged
from hardneg.search import Constraints, Exact, Hits, Unlike

SIZES = [10_000, 50_000, 200_000, 1_000_000]
K, CLASSES = 100, 10
_SMALL = 50_000  # what compares everything at once is asked up to here
_NAMES = {
    "bare": "the bare matrix product",
    "exact": "Exact",
    "constrained": "Exact, all constraints",
    "exact in float32": "Exact, float32",
    "constrained in float32": "Exact, all constraints, float32",
    "faiss": "FAISS IndexFlatIP",
    "sklearn": "scikit-learn, brute",
    "incumbent": "sentence-transformers' miner, its search",
}
HEAD = ("items", "side", "seconds", "building s", "rate / bare", "rate / FAISS")


def bare(anchors: Floats, items: Floats, engine: Exact) -> Callable[[], None]:
    """The products alone, on the blocks of the engine: one BLAS thread a worker, into memory used again and again."""
    rows = min(engine.anchor_block, -(-len(anchors) // threads()))
    columns, own = engine.item_block, threading.local()

    def one(start: int, block: Floats) -> None:
        if not hasattr(own, "room"):
            own.room = np.empty(rows * columns, np.float32)
        left = anchors[start : start + rows]
        np.matmul(left, block.T, out=own.room[: len(left) * len(block)].reshape(len(left), -1))

    def run() -> None:
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads()) as pool:
            for at in range(0, len(items), columns):
                block = items[at : at + columns]
                list(pool.map(lambda start: one(start, block), range(0, len(anchors), rows)))  # noqa: B023

    return run


def constraints(plain: Hits, items: int) -> Constraints:
    """Every constraint at once: pairs, barred items, labels, and a ceiling at the tenth best.

    The floor lies under what is found, so that it costs and does not help.
    """
    n, rng = len(plain.items.lengths()), np.random.default_rng(2)
    found, scores = plain.items.values.reshape(n, -1), plain.scores.reshape(n, -1)
    pairs = np.concatenate([found[:, :2].ravel(), rng.integers(0, items, n)])
    labels = Unlike(rng.integers(0, CLASSES, n), rng.integers(0, CLASSES, items))
    return replace(
        Constraints.none(n, items),
        excluded=Ragged.from_pairs(np.concatenate([np.repeat(np.arange(n), 2), np.arange(n)]), pairs, n),
        barred=rng.random(items) < 0.01,
        unlike=(labels,),
        ceiling=scores[:, 9].copy(),
        floor=(scores[:, -1] / 2).astype(np.float32),
    )


def measure(options: Namespace) -> dict[str, Any]:
    """All sides on all sizes."""
    store = Store(options.work, max(options.sizes), options.short)
    rows = []
    for count in options.sizes:
        rows += _one_size(store, count, options)
    return save("exact", options, {"rows": rows, "k": K, "width": store.real[1].shape[1]})


def _one_size(store: Store, count: int, options: Namespace) -> list[dict[str, Any]]:
    items = store.items(count)
    peers.use_threads()
    anchors = store.anchors(options.anchors or (4096 if count < 1_000_000 else 2048))
    every, building = np.arange(len(anchors)), {}
    building["exact"], search = prepared(Exact(), anchors, items, K)
    plain, wide = search(every), Exact(precision="float32")
    limits = constraints(plain, count)
    building["constrained"], limited = prepared(Exact(), anchors, items, K, limits)
    building["exact in float32"], wide_search = prepared(wide, anchors, items, K)
    building["constrained in float32"], wide_limited = prepared(wide, anchors, items, K, limits)
    building["faiss"], index = timed(lambda: peers.flat(items))
    sides: dict[str, Callable[[], object]] = {
        "bare": bare(anchors, items, Exact()),
        "exact": lambda: search(every),
        "constrained": lambda: limited(every),
        "exact in float32": lambda: wide_search(every),
        "constrained in float32": lambda: wide_limited(every),
        "faiss": lambda: index.search(anchors, K),
    }
    agree = found_share(index.search(anchors, K)[1], plain)
    say(f"FAISS and Exact agree on {agree:.4%}")
    if count <= _SMALL:
        theirs, miner = peers.sklearn_search(items, K), peers.incumbent_search(items, K)
        sides |= {"sklearn": lambda: theirs(anchors), "incumbent": lambda: miner(anchors)}
    seconds = best(sides, options.repeat, f"{count:,}")
    return [
        {"items": count, "anchors": len(anchors), "side": side, "seconds": taken, "building": building.get(side),
         "of_bare": seconds["bare"] / taken, "of_faiss": seconds["faiss"] / taken, "agree": agree}
        for side, taken in seconds.items()
    ]  # fmt: skip


def report(saved: Mapping[str, Any]) -> str:
    """The table, and what it shows."""
    rows = saved["rows"]
    lines = [
        [f"{row['items']:,}", _NAMES[row["side"]], f"{row['seconds']:.2f}",
         "" if row["building"] is None else f"{row['building']:.2f}", f"{row['of_bare']:.2f}", f"{row['of_faiss']:.2f}"]
        for row in rows
    ]  # fmt: skip
    asked = ", ".join(dict.fromkeys(f"{row['anchors']:,}" for row in rows))
    limited = _span(rows, "of_bare", "constrained"), _span(rows, "of_bare", "constrained in float32")
    free = _span(rows, "of_faiss", "exact"), _span(rows, "of_faiss", "exact in float32")
    return "\n\n".join(
        [
            "## Exact search: what constraints cost",
            opening(saved),
            machine.table(HEAD, lines),
            f"d = {saved['width']}, k = {saved['k']}, {asked} anchors, vectors in memory. *Rate*: pairs of an anchor "
            "and an item a second, as a share of the bare product's and of FAISS's; more is better. *The bare matrix "
            "product*: the same blocks in float32 on the same threads, into memory used again and again, nothing "
            "chosen. *Exact* multiplies as it finds quickest, here in bfloat16, since PyTorch is loaded and the "
            "processor has instructions for it; *float32* is what it does elsewhere. The answers are the same. *All "
            "constraints*: three excluded items an anchor, 1% of the items barred, ten labels of which the own is "
            "excluded, a ceiling at the tenth best score and a floor. *Building*, what can be shared between anchors, "
            "is apart. scikit-learn and the miner's search, which hold all products or copies of them, up to "
            f"{_SMALL:,} items.",
            f"With all constraints {limited[0]} of the bare product's rate (aim: 0.85), in float32 {limited[1]}; "
            f"without any {free[0]} of FAISS's rate (aim: 1), in float32 {free[1]}.",
        ]
    )


def _span(rows: Sequence[Mapping[str, Any]], figure: str, side: str) -> str:
    found = [row[figure] for row in rows if row["side"] == side]
    return f"{min(found):.2f} to {max(found):.2f}"
