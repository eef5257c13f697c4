"""What a thousand anchors cost as the corpus grows, for every engine."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.search import peers, plots
from benchmarks.search.data import Store
from benchmarks.search.kit import Floats, best, found_share, load, opening, prepared, save, say, timed
from hardneg.search import Approximate, Constraints, Exact, Hits

SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000]
ENGINES = ["exact", "approximate", "flat", "ivf", "hnsw", "usearch"]
NAMES = {
    "exact": "Exact",
    "approximate": "Approximate",
    "flat": "FAISS IndexFlatIP",
    "ivf": "FAISS IVF",
    "hnsw": "FAISS HNSW32",
    "usearch": "USearch",
}
K, TARGET, SAMPLE = 50, 0.98, 512
PLOT = "search-growth.svg"
HEAD = ("items", "engine", "setting", "recall@50", "building s", "s for 1,000 anchors", "of Exact's")

Side = tuple[dict[str, Any], int, Callable[[], object]]


def measure(options: Namespace) -> dict[str, Any]:
    """All engines on all sizes."""
    store = Store(options.work, max(options.sizes), options.short)
    rows = []
    for count in options.sizes:
        items, asked = store.items(count), options.anchors or 32_768
        sides = list(_sides(store, items, store.anchors(asked), options.engines))
        seconds = best({row["engine"]: run for row, _, run in sides}, options.repeat, f"{count:,}")
        each = {row["engine"]: 1000 * seconds[row["engine"]] / anchors for row, anchors, _ in sides}
        rows += [{**row, "items": count, "anchors": n, "each": each[row["engine"]]} for row, n, _ in sides]
    earlier = load(options.work, "growth", short=options.short)
    return save("growth", options, {"rows": _with_earlier(rows, earlier), "k": K, "target": TARGET})


def _with_earlier(rows: list[dict[str, Any]], saved: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """These rows, and those of earlier runs for other sizes and engines: some take an hour to build."""
    measured = {(row["items"], row["engine"]) for row in rows}
    earlier = [row for row in (saved or {}).get("rows", []) if (row["items"], row["engine"]) not in measured]
    return sorted([*rows, *earlier], key=lambda row: (row["items"], ENGINES.index(row["engine"])))


def _sides(store: Store, items: Floats, anchors: Floats, engines: list[str]) -> Iterator[Side]:
    """Each engine made ready: what is known of it, how many anchors it is asked for, and the search."""
    few = anchors[:2048]
    truth = Exact().search(few[:SAMPLE], items, K, "cosine", Constraints.none(min(SAMPLE, len(few)), len(items)))
    if "exact" in engines:
        building, exact = prepared(Exact(), few, items, K)
        yield _row("exact", building), len(few), lambda: exact(np.arange(len(few)))
    if "approximate" in engines:
        building, join = prepared(Approximate(TARGET), anchors, items, K)
        row = _row("approximate", building, f"recall={TARGET}", join.about["recall"])
        yield row, len(anchors), lambda: join(np.arange(len(anchors)))
    if "flat" in engines:
        building, flat = timed(lambda: peers.flat(items))
        yield _row("flat", building), len(few), lambda: flat.search(few, K)
    for kind in [one for one in ENGINES[3:] if one in engines]:
        yield _peer(kind, peers.built(kind, items, store), few, truth)


def _peer(kind: str, index: peers.Index, anchors: Floats, truth: Hits) -> Side:
    """A peer with the least effort that reaches the target."""
    for effort in peers.EFFORTS[kind]:
        share = found_share(index.search(anchors[:SAMPLE], K, effort), truth)
        if share >= TARGET:
            break
    say(f"{index.name}, {peers.KNOBS[kind]}={effort}: recall {share:.4f}")
    row = _row(kind, index.seconds, f"{peers.KNOBS[kind]}={effort}", share)
    return row, len(anchors), lambda: index.search(anchors, K, effort)


def _row(engine: str, building: float, setting: str = "", recall: float = 1.0) -> dict[str, Any]:
    return {"engine": engine, "building": building, "setting": setting, "recall": recall}


def report(saved: Mapping[str, Any]) -> str:
    """The table and the plot."""
    rows = saved["rows"]
    exact = {row["items"]: row["each"] for row in rows if row["engine"] == "exact"}
    lines = [
        [f"{row['items']:,}", NAMES[row["engine"]], row["setting"], f"{row['recall']:.4f}", f"{row['building']:,.1f}",
         f"{row['each']:.3f}", f"{row['each'] / exact[row['items']]:.2f}" if row["items"] in exact else ""]
        for row in rows
    ]  # fmt: skip
    asked = ", ".join(
        f"{NAMES[name]} {n:,}" for name, n in dict.fromkeys((row["engine"], row["anchors"]) for row in rows)
    )
    return "\n\n".join(
        [
            "## Cost as the corpus grows",
            opening(saved),
            f"![Cost as the corpus grows](images/{PLOT})",
            machine.table(HEAD, lines),
            f"k = {saved['k']}. The cost of 1,000 anchors without building, measured on: {asked} anchors. Approximate "
            f"engines look as far as a recall of {saved['target']} needs, the peers in steps of two. Not all "
            "sizes and engines need have been measured in one run.",
        ]
    )


def plot(saved: Mapping[str, Any]) -> None:
    """Seconds against items, both in powers of ten."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in saved["rows"]:
        curves.setdefault(NAMES[row["engine"]], []).append((row["items"], row["each"]))
    plots.growth(PLOT, curves, f"k = {saved['k']}; approximate engines at a recall of {saved['target']}")
