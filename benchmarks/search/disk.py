"""Whole minings from vectors on disk: peak memory as the corpus grows, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.search.data import Store
from benchmarks.search.kit import opening, save, say
from benchmarks.texts import ROOT

SIZES = [100_000, 300_000, 1_000_000]
K = 100
HEAD = ("items", "vectors MiB", "peak MiB", "private MiB", "before MiB", "seconds", "candidates")


def measure(options: Namespace) -> dict[str, Any]:
    """The same anchors with more and more items."""
    store, asked = Store(options.work, max(options.sizes), options.short), options.anchors or 100_000
    anchors = store.first_rows(store.anchors_file(asked), asked)
    rows = []
    for count in options.sizes:
        items = store.first_rows(store.items_file(), count)
        pairs = options.work / "own-items.npy"
        np.save(pairs, store.own_items(asked) % count)
        found = _child(items, anchors, pairs)
        rows.append({"items": count, "anchors": asked, "vectors_mib": items.stat().st_size / 2**20, **found})
        say(f"{count:>9,} items: {found}")
    return save("disk", options, {"rows": rows, "k": K})


def _child(items: Path, anchors: Path, pairs: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.search.mined", *map(str, (items, anchors, pairs, K))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found | {"added_mib": found["peak_mib"] - found["before_mib"]}


def report(saved: Mapping[str, Any]) -> str:
    """The table, and what it shows."""
    rows = saved["rows"]
    lines = [
        [f"{row['items']:,}", f"{row['vectors_mib']:,.0f}", f"{row['added_mib']:,.0f}", f"{row['private_mib']:,.0f}",
         f"{row['before_mib']:,.0f}", f"{row['seconds']:,.0f}", f"{row['candidates']:,}"]
        for row in rows
    ]  # fmt: skip
    more, grown = rows[-1]["items"] - rows[0]["items"], rows[-1]["added_mib"] - rows[0]["added_mib"]
    each = f" From {rows[0]['items']:,} to {rows[-1]['items']:,} items it grew by {grown:,.0f} MiB" if more else ""
    each += f", {grown * 2**20 / more:,.0f} bytes an item (a vector has {_row(rows[-1]):,.0f})." if more else ""
    return "\n\n".join(
        [
            "## Vectors larger than memory",
            opening(saved),
            machine.table(HEAD, lines),
            f"`mine` with `neighbors(k={saved['k']})`, default filters and sampler, {rows[0]['anchors']:,} anchors, "
            "ids without texts, vectors in .npy files that stay on disk; each row a process of its own. *Peak*: the "
            "most that the process held (VmHWM) above what it held after its imports (*before*); *private* leaves out "
            "pages of mapped files. *Seconds*: from opening the files to the written run.",
            f"The peak lies {rows[-1]['added_mib'] / 1024:.2f} GiB above the interpreter's own (aim: under 1.5).{each}",
        ]
    )


def _row(row: Mapping[str, Any]) -> float:
    return float(row["vectors_mib"] * 2**20 / row["items"])
