"""``hardneg show``: a run, or one of its anchors, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
from rich.console import Console

from hardneg.cli._common import run_argument, summary, table
from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.labels import label_column
from hardneg.report.numbers import plural
from hardneg.run import Run

__all__ = ["command"]

_POSITIVES = 20


@click.command(short_help="Show a run, or one anchor of it.")
@run_argument
@click.option("--anchor", help="The id of an anchor: show its positives and every candidate with its reason.")
@click.option("--short", is_flag=True, help="List every anchor that came up short.")
def command(run: Path, anchor: str | None, short: bool) -> None:
    """Show what RUN holds."""
    opened, out = Run.open(run), Console(width=None if sys.stdout.isatty() else 120)
    if anchor is not None:
        _show_anchor(opened, anchor, out)
    elif short:
        _show_short(opened, out)
    else:
        steps = opened.manifest["steps"]
        rows = [("encoder", opened.manifest["encoder"]), *((name, "; ".join(steps[name])) for name in steps)]
        out.print(table("Steps", ("", ""), rows))
        summary(opened, out)


def _show_short(run: Run, out: Console) -> None:
    found = run.short()
    texts = [_text(run, run.anchors, int(row)) for row in run.anchors.positions(found.column("anchor"))]
    rows = [(str(key), *counts, text) for (key, *counts), text in zip(_tuples(found), texts, strict=True)]
    columns = ("anchor", "sampled", "wanted", "candidates", "suspect", "dropped", "text")
    out.print(table(f"{plural(len(rows), 'anchor')} came up short", columns, rows))


def _tuples(found: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in found.to_pylist()]


def _show_anchor(run: Run, anchor: str, out: Console) -> None:
    row = int(run.anchors.positions([anchor])[0])
    if row < 0:
        raise InputError(f"There is no anchor '{anchor}' in this run.", remedy="Look its id up in the report.")
    key = run.anchors.ids[row].as_py()
    out.print(table("Anchor", ("id", "text"), [(str(key), _text(run, run.anchors, row))]))
    positive = run.positives.positive
    lists = slice(positive.offsets[row], positive.offsets[row + 1])
    pairs = zip(positive.values[lists], run.positive_scores[lists], strict=True)
    best = sorted(pairs, key=lambda pair: -pair[1])[:_POSITIVES]  # the members of a class may be thousands
    rows = [(f"{score:.3f}", str(run.items.ids[int(item)]), _text(run, run.items, int(item))) for item, score in best]
    count = lists.stop - lists.start
    title = f"Positives, the nearest {_POSITIVES} of {count:,}" if count > _POSITIVES else "Positives"
    out.print(table(title, ("score", "id", "text"), rows))
    sampled = set(run.negatives.filter(_is(run.negatives, key)).column("item").to_pylist())
    found = pa.concat_tables([part.filter(_is(part, key)) for part in run.parts()]).sort_by([("score", "descending")])
    candidates = [
        (
            f"{one['score']:.3f}",
            str(one["rank"]) if one["rank"] >= 0 else "",
            one["source"],
            "sampled" if one["item"] in sampled else one["verdict"],
            one["reason"] and f"{one['reason']} ({one['evidence']:.3f}){_nearest(run, row, one)}",
            str(one["item"]),
            _text(run, run.items, int(run.items.positions([one["item"]])[0])),
        )
        for one in found.to_pylist()
    ]
    out.print(table("Candidates", ("score", "rank", "source", "verdict", "reason", "id", "text"), candidates))


def _nearest(run: Run, anchor: int, one: Mapping[str, Any]) -> str:
    """What the calibrated filter says beside the probability: which positive the item is nearest to, and how near."""
    place = one.get("nearest_positive")
    if place is None or place < 0 or not one["reason"].startswith("calibrated."):
        return ""
    nearest = run.items.ids[int(run.positives.positive[anchor][place])].as_py()
    return f", similarity {one['positive_similarity']:.2f} to positive {nearest}"


def _is(part: pa.Table, key: str | int) -> pa.Array:
    column = part.column("anchor").combine_chunks()
    column = column if isinstance(column, pa.Array) else column.chunk(0)
    codes = np.flatnonzero(np.array([one == key for one in column.dictionary.to_pylist()]))
    return pa.array(np.isin(column.indices.to_numpy(), codes))


def _text(run: Run, side: Collection, row: int) -> str:
    """What a thing says or where its file is; before it the class it was mined by, and its label if that is another."""
    names = side.table.column_names
    name = next((one for one in ("text", "path", "audio") if one in names), None)
    value = None if name is None else side.table.column(name)[row].as_py()
    text = "" if value is None or isinstance(value, bytes) else str(value)
    text = text if len(text) <= 100 else text[:99] + "…"
    columns = [one for one in dict.fromkeys((label_column(run), "label")) if one in names]
    values = [side.table.column(one)[row].as_py() for one in columns]
    labels = [", ".join(one) if isinstance(one, list) else str(one) for one in values if one is not None]
    return f"[{'; '.join(labels)}] {text}" if labels else text
