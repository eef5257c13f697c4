"""What was measured, as sections of the page of benchmarks: the bad results first."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine

__all__ = ["PAGES"]

_ORDER = {"hurt": 0, "cannot tell": 1, "helped": 2}
_NAMES = {
    "random": "random",
    "none": "none",
    "naive": "naive top-k",
    "margin(relative=0.05, reference=max)": "95% of positive",
}
_WORDS = {"helped": "better", "hurt": "**worse**", "cannot tell": "="}

ABOUT = """## Did mining help?

The same model (the probe of `hardneg impact`: a linear layer on frozen vectors, of a classifier softmax
regression) under the same budget, with each set of negatives, on held-out queries, items or identities, {seeds}
seeds. *hardneg* are the default filters ({steps}), eight negatives an anchor; *95% of positive* is what most
publications use; *naive* are the nearest without any filter. In brackets the difference of hardneg to each arm
with its 95% interval (subjects and seeds drawn anew), and the verdict after Holm's correction: *better*,
*worse*, or `=` for cannot tell. The measure is nDCG@10 for retrieval, accuracy for classification, EER (less is
better) for verification. Worst results first. Whether the probe ranks arms as full fine-tuning does has not
been measured: `--model` was tried for a few steps only."""

NULL = """### The null test

Mined negatives dealt out to other anchors at random, against random negatives: nothing can have helped. {runs}
measurements on a third of StackFAQ's queries, each with three other seeds and another part held out: "cannot tell" in
{share:.1%} ({count} of {runs}). At a level of 95% it should be at least 95% in the long run."""


def sets(work: Path) -> str:
    found = [json.loads(file.read_text()) for file in sorted(work.glob("impact-*.json"))]
    if not found:
        return ""
    found.sort(key=_worst)
    rows = [_row(one) for one in found]
    head = ("data", "held out", "untrained", "hardneg", *_NAMES.values())
    seeds = max(one["plan"]["seeds"] for one in found)
    steps = sorted({", ".join(f"`{step}`" for step in one["steps"]["filters"]) for one in found})
    parts = [
        _wrapped(ABOUT.format(seeds=seeds, steps="; or ".join(steps))),
        _wrapped(_counted(found)),
        machine.table(head, rows),
        _doses(found),
    ]
    return "\n\n".join(parts)


def _wrapped(text: str) -> str:
    """Paragraphs in lines of the length of this page; headings as they are."""
    parts = [textwrap.fill(one, 118, break_long_words=False, break_on_hyphens=False) for one in text.split("\n\n")]
    return "\n\n".join(parts)


def _worst(one: dict[str, Any]) -> tuple[int, float]:
    """By the worst verdict, then by how far it is behind random negatives, in parts of what could have been seen."""
    random = next(each for each in one["comparisons"] if each["against"] == "random")
    gap = random["differences"][random["measure"]]
    gain = one["measures"][0]["better"] * gap["value"] / max(gap["smallest"] or 0, 1e-6)
    return min(_ORDER[each["verdict"]] for each in one["comparisons"]), gain


def _counted(found: list[dict[str, Any]]) -> str:
    out = []
    for name, shown in _NAMES.items():
        told = [each["verdict"] for one in found for each in one["comparisons"] if each["against"] == name]
        worse, unknown, better = (told.count(one) for one in _ORDER)
        out.append(f"against {shown}: worse on {worse}, cannot tell on {unknown}, better on {better}")
    ahead = sum(
        each["verdict"] == "helped" for one in found for each in one["comparisons"] if each["against"] == "random"
    )
    aim = "reached" if 2 * ahead > len(found) else "not reached"
    return (
        f"Of {len(found)} sets hardneg's default is, " + "; ".join(out) + ". The aim, to be better than random "
        f"negatives on most of them, is {aim}: with this probe and these numbers of held-out subjects the differences "
        "between any two sets of negatives are mostly smaller than what could be seen."
    )


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    first = one["measures"][0]["name"]
    arms = {arm["name"]: arm["figures"][first]["value"] for arm in one["arms"]}
    by_name = {each["against"]: each for each in one["comparisons"]}
    cells = []
    for name in _NAMES:
        each = by_name[name]
        gap = each["differences"][first]
        cells.append(
            f"{arms[name]:.3f} ({gap['value']:+.3f}: {gap['low']:+.3f} to {gap['high']:+.3f}) {_WORDS[each['verdict']]}"
        )
    units = one["held_out"]
    asked = f"{units['test']:,} {units['units']}" + (
        "" if units["test"] == units["subjects"] else f" of {units['subjects']}"
    )
    return f"{one['set']}, {first}", asked, f"{arms['untrained']:.3f}", f"{arms['run']:.3f}", *cells


def _doses(found: list[dict[str, Any]]) -> str:
    rows = []
    for one in found:
        if one["dose"]:
            rows.append(
                (
                    one["set"],
                    *(f"{point['value']:.3f}" for point in one["dose"]["points"]),
                    f"{one['dose']['best']:.0%}",
                )
            )
    shares = [f"{point['share']:.0%}" for point in next(one["dose"]["points"] for one in found if one["dose"])]
    words = (
        "The dose: figures on validation data as the share of mined negatives grows from random ones (of a classifier: "
        "from no weights) to all. The last column is the smallest share within one standard error of the best."
    )
    return f"{words}\n\n{machine.table(('data', *shares, 'picked'), rows)}"


def null_test(work: Path) -> str:
    file = work / "null.json"
    if not file.is_file():
        return ""
    told = json.loads(file.read_text())["verdicts"]
    count = told.count("cannot tell")
    return NULL.format(runs=len(told), count=count, share=float(np.mean([one == "cannot tell" for one in told])))


PAGES: dict[str, Callable[[Path], str]] = {"sets": sets, "null": null_test}
