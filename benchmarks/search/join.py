"""The approximate join of a million anchors with a million items: the whole curve of recall against time."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.search import peers, plots
from benchmarks.search.data import Store
from benchmarks.search.kit import Floats, Ints, as_table, best, found_share, load, opening, prepared, save, say
from hardneg.search import Approximate, Constraints, Exact
from hardneg.search._recall import samples

SIZES = [1_000_000]
ENGINES = ["approximate", "ivf", "hnsw", "usearch"]
TARGETS = (0.90, 0.95, 0.98, 0.99)
K, SAMPLE = 50, 1024
_EXACT, _PEERS = 2048, 4096
PLOT = "search-recall.svg"
HEAD = ("engine", "setting", "recall@50", "building s", "search s, all", "total s, all", "times as quick as exact")


@dataclass(frozen=True)
class Side:
    """One point of the curve: a search of so many anchors, and whom of them the sample is."""

    engine: str
    setting: str
    building: float
    anchors: int
    run: Callable[[], Any]
    sample: Callable[[Any], Ints]  # from the answers to the ids for the sample

    @property
    def name(self) -> str:
        """What the side is called while it runs."""
        return f"{self.engine} {self.setting}"


def measure(options: Namespace) -> dict[str, Any]:
    """One size: as many anchors as items, extrapolated from a slice."""
    count, asked = options.sizes[0], min(options.anchors or 65_536, options.sizes[0])
    store = Store(options.work, count, options.short)
    items, anchors = store.items(count), store.anchors(asked)
    others = np.setdiff1d(np.arange(asked), np.concatenate(samples(asked)))
    some = np.random.default_rng(7).permutation(others if len(others) >= SAMPLE else asked)
    sample = some[:SAMPLE]
    truth = Exact().search(anchors[sample], items, K, "cosine", Constraints.none(len(sample), count))
    sides = [_exact(anchors[some[:_EXACT]], items, one) for one in (Exact(), Exact(precision="float32"))]
    if "approximate" in options.engines:
        sides += [_approximate(anchors, items, target, sample) for target in TARGETS]
    for kind in [one for one in ENGINES[1:] if one in options.engines]:
        sides += _peer(kind, anchors[some[:_PEERS]], items, store)
    last: dict[str, Any] = {}
    seconds = best({one.name: _keeping(one, last) for one in sides}, options.repeat, f"{count:,}")
    rows = []
    for one in sides:
        search = seconds[one.name] * count / one.anchors
        share = found_share(one.sample(last[one.name]), truth.take(np.arange(min(SAMPLE, one.anchors))))
        rows.append(
            {"engine": one.engine, "setting": one.setting, "recall": share, "building": one.building,
             "anchors": one.anchors, "seconds": seconds[one.name], "search": search, "total": one.building + search}
        )  # fmt: skip
        say(rows[-1])
    figures = {"rows": rows, "k": K, "items": count, "slice": asked, "sample": SAMPLE}
    figures["rows"] = _with_earlier(figures, load(options.work, "join", short=options.short))
    return save("join", options, {**figures, "likeness": store.likeness()})


def _with_earlier(figures: Mapping[str, Any], saved: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """These rows, and those of an earlier run for other engines: some take an hour to build."""
    rows: list[dict[str, Any]] = figures["rows"]
    if saved is None or any(saved[one] != figures[one] for one in ("k", "items", "slice", "sample")):
        return rows
    measured = {row["engine"] for row in rows}
    order = ["Exact", "Approximate", *(peers.name(kind, figures["items"]) for kind in ENGINES[1:])]
    both = [*rows, *(row for row in saved["rows"] if row["engine"] not in measured)]
    return sorted(both, key=lambda row: order.index(row["engine"]))


def _exact(anchors: Floats, items: Floats, engine: Exact) -> Side:
    building, search = prepared(engine, anchors, items, K)
    every, setting = np.arange(len(anchors)), engine.precision
    return Side("Exact", setting, building, len(every), lambda: search(every), lambda hits: as_table(hits, K)[:SAMPLE])


def _approximate(anchors: Floats, items: Floats, target: float, sample: Ints) -> Side:
    building, search = prepared(Approximate(target), anchors, items, K)
    say(f"approximate, {target}: ready in {building:.0f} s; {dict(search.about)}")
    every = np.arange(len(anchors))
    text = f"recall={target:.2f}"
    return Side("Approximate", text, building, len(every), lambda: search(every), lambda h: as_table(h.take(sample), K))


def _peer(kind: str, anchors: Floats, items: Floats, store: Store) -> list[Side]:
    index = peers.built(kind, items, store)

    def side(effort: int) -> Side:
        text = f"{peers.KNOBS[kind]}={effort}"
        run = lambda: index.search(anchors, K, effort)  # noqa: E731
        return Side(index.name, text, index.seconds, len(anchors), run, lambda ids: ids[:SAMPLE])

    return [side(effort) for effort in peers.EFFORTS[kind]]


def _keeping(side: Side, last: dict[str, Any]) -> Callable[[], None]:
    def run() -> None:
        last[side.name] = side.run()

    return run


def report(saved: Mapping[str, Any]) -> str:
    """The curve as a table and a plot, and how the best peer does where we reach a target."""
    rows, exact = saved["rows"], saved["rows"][0]
    lines = [
        [row["engine"], row["setting"], f"{row['recall']:.4f}", f"{row['building']:,.0f}", f"{row['search']:,.0f}",
         f"{row['total']:,.0f}", f"{exact['total'] / row['total']:.1f}"]
        for row in rows
    ]  # fmt: skip
    count = saved["items"]
    kinds = dict.fromkeys((row["engine"].split(",")[0], row["anchors"]) for row in rows)
    asked = "; ".join(f"{name} {anchors:,}" for name, anchors in kinds)
    return "\n\n".join(
        [
            "## Approximate: recall against time",
            opening(saved),
            f"![Recall against time](images/{PLOT})",
            machine.table(HEAD, lines),
            f"k = {saved['k']}. All times of a search are extrapolated to {count:,} anchors, from slices of these "
            f"numbers of anchors: {asked}. Building is timed in full, for Approximate with the exact answers by which "
            f"it tunes itself. *Recall@50*: measured against exact answers for {saved['sample']:,} anchors that are "
            "not those it is tuned on. FAISS's clusters are learned from 64 vectors each. USearch runs with the "
            "precision that it chooses for this processor; Exact multiplies as it finds quickest, here in bfloat16. "
            "Not all engines need have been measured in one run.",
            *(["\n".join(_against(rows))] if any(row["engine"] == "Approximate" for row in rows) else []),
            *_likeness(saved["likeness"]),
        ]
    )


def _against(rows: list[Any]) -> list[str]:
    """For each point of ours: exact, and the quickest peer with no less recall."""
    out = []
    exact, wide = (one["total"] for one in rows if one["engine"] == "Exact")
    for row in (one for one in rows if one["engine"] == "Approximate"):
        text = f"- {row['setting']}, {row['recall']:.4f} found: {exact / row['total']:.1f} times as quick as exact, "
        text += f"{wide / row['total']:.1f} times as in float32"
        able = [one for one in rows if one["engine"] not in ("Approximate", "Exact") and one["recall"] >= row["recall"]]
        if able:
            peer = min(able, key=lambda one: one["total"])
            text += (
                f"; the quickest peer that finds as much ({peer['engine']}, {peer['setting']}, {peer['recall']:.4f}) "
                f"takes {peer['total'] / row['total']:.2f} times as long"
            )
        out.append(f"{text}.")
    return out


def _likeness(like: Mapping[str, Any]) -> list[str]:
    about = (
        f"The vectors grow from MiniLM's for {like['sentences']:,} real sentences ({like['where']}). At equal numbers:"
    )
    lines = [[name, f"{real:.3g}", f"{made:.3g}"] for name, (real, made) in like["figures"].items()]
    head = ("cosine of anchors with items", *(f"nearest: {rank}" for rank in like["ranks"]))
    near = [[name, *(f"{one:.3f}" for one in values)] for name, values in like["near"].items()]
    return [about, machine.table(("figure", "real", "made"), lines), machine.table(head, near)]


def plot(saved: Mapping[str, Any]) -> None:
    """Total time against recall."""
    rows = saved["rows"]
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in (one for one in rows if one["engine"] != "Exact"):
        curves.setdefault(row["engine"], []).append((row["recall"], row["total"] / 60))
    plots.recall(PLOT, curves, rows[0]["total"] / 60, f"{saved['items']:,} anchors x {saved['items']:,} items")
