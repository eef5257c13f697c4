"""What was measured, as sections of the page of benchmarks: the bad results first."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.impact.data import SETS

__all__ = ["PAGES"]

_ORDER = {"hurt": 0, "cannot tell": 1, "helped": 2}
_NAMES = {
    "random": "random",
    "none": "none",
    "naive": "naive top-k",
    "margin(relative=0.05, reference=max)": "95% of positive",
    "half": "half random",
}
_WORDS = {"helped": "better", "hurt": "**worse**", "cannot tell": "="}

ABOUT = """## Did mining help?

The same model (the probe of `hardneg impact`: a linear layer on frozen vectors, of a classifier softmax
regression) under the same budget, with each set of negatives, {seeds} seeds in each of five folds: every query, item
or identity is held out once, and each fold is mined without what it holds out. *hardneg* are the default filters
({steps}), eight negatives an anchor; *95% of positive* is what most publications use; *naive* are the nearest without
any filter; *half random* are hardneg's with every second one drawn evenly. In brackets the difference of hardneg to
each arm with its 95% interval (subjects and seeds drawn anew), and the verdict after Holm's correction: *better*,
*worse*, or `=` for cannot tell. The measure is nDCG@10 for retrieval, accuracy for classification, EER (less is
better) for verification. Models of different folds share training data: the intervals are of these data, not of what
others would give. Worst results first.

Why mining seemed to bring nothing: the probe's rate used to be chosen for training without mining, and was made for
that arm. On SciFact (inner folds of a training part, one seed) random negatives begin to overfit after 6 of 100 steps,
mined ones gain to the end: +0.015 of nDCG@10 over random where each arm has its own rate, +0.006 at the rate of the
arm without mining. Now every training keeps the state that is best on validation data. What was tried too, and left:
with 16 anchors in a batch for 64 the gain on SciFact is as large (+0.016), the loss on Omniglot three times as large;
without any others of the batch, mined negatives gain a little more on SciFact (+0.019) and are as good as random
ones on StackFAQ, where every arm then loses 0.014 or more to none in a batch. Where topics are held out, as on
StackFAQ, and where an error rate is over all pairs of people or characters, random negatives are what is asked. On
Omniglot mined ones leave more of the hard negatives right (22.3% for 20.8%) and fewer of the easy (93.4% for 95.0%),
and the error rate counts the easy ones. Of a classifier the arms are weights of its examples; of softmax regression
that is trained to the end weights change little, whatever they are made from, and with 8 or 30 steps in place of
300 mined ones do worse than random ones on CIFAR-10 and no better on flowers. Half random ones as the default were
looked at and not taken: sure to be better on CIFAR-10 and Omniglot alone, where training without mining is as good or
better, and on SciFact and SST-2, where mining gains, they gain less. On SciFact the default was *margin* when it was
better than random negatives with certainty (0.701, +0.011: +0.003 to +0.019); today's, `calibrated`, is not (below)."""

NULL = """### The null test

Mined negatives dealt out to other anchors at random, twice: nothing can have helped. {runs} measurements on a third of
StackFAQ's queries in five folds, each with three other seeds and other folds: "cannot tell" in {share:.1%}
({count} of {runs}). At a level of 95% it should be at least 95% in the long run. Against negatives drawn evenly the
dealt ones are no null: they are the documents that mining finds, only for other queries. There {told}."""


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
        _wrapped(_counted(found) + _missing(found)),
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
        f"negatives on most of them, is {aim} with this probe."
    )


def _missing(found: list[dict[str, Any]]) -> str:
    left = [name for name in SETS if name not in {one["set"] for one in found}]
    return f" Not measured this way yet: {', '.join(left)}." if left else ""


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
    found = json.loads(file.read_text())
    told = [one["verdict"] for one in found["dealt anew"]]
    count = told.count("cannot tell")
    text = NULL.format(runs=len(told), count=count, share=count / len(told), told=_not_null(found))
    return _wrapped(text)


def _not_null(found: dict[str, Any]) -> str:
    other = found.get("drawn evenly", [])
    if not other:
        return "nothing was measured"
    helped, hurt = (sum(one["verdict"] == what for one in other) for what in ("helped", "hurt"))
    gap = float(np.mean([one["value"] for one in other]))
    return f"{helped} of {len(other)} measurements say helped and {hurt} hurt, by {gap:+.4f} of nDCG@10 on average"


def fine_tuning(work: Path) -> str:
    """The orders of the arms by the probe and by full fine-tuning."""
    found = [json.loads(file.read_text()) for file in sorted(work.glob("full-*.json"))]
    if not found:
        return ""
    found.sort(key=lambda one: one["low"])
    parts = [FULL.format(told="; ".join(map(_agrees, found)))]
    for one in found:
        arms = [arm for arm in one["full"] if arm != "untrained"]
        rows = [(_NAMES.get(arm, "hardneg"), f"{one['probe'][arm]:.4f}", f"{one['full'][arm]:.4f}") for arm in arms]
        rows.sort(key=lambda row: row[2], reverse=True)
        parts += [_told(one), machine.table(("negatives", "probe", "all weights"), rows)]
    return "\n\n".join(part if part.startswith("|") else _wrapped(part) for part in parts)


def _agrees(one: dict[str, Any]) -> str:
    shown = "is shown" if one["low"] > 0 else "is not shown"
    return f"on {one['set']} it {shown} (tau {one['tau']:.2f}, {one['low']:.2f} to {one['high']:.2f})"


def _told(one: dict[str, Any]) -> str:
    sure = [pair for pair in one["pairs"] if all(_sure(pair[name]) for name in ("probe", "full"))]
    same = sum(pair["probe"][0] * pair["full"][0] > 0 for pair in sure)
    alone = {name: sum(_sure(pair[name]) for pair in one["pairs"]) for name in ("probe", "full")}
    best = max(one["rates"], key=lambda rate: sum(one["rates"][rate].values()))
    tried = ", ".join(f"{rate}: {each['random']:.3f} and {each['run']:.3f}" for rate, each in one["rates"].items())
    return (
        f"{one['set']}, {one['seeds']} seeds (documents of {one['tokens'][0]} tokens, at most {one['tokens'][1]:,}; "
        f"before training {one['before']:.4f}): Kendall's tau {one['tau']:.2f}, 95% interval {one['low']:.2f} to "
        f"{one['high']:.2f}; above 0 in {one['above']:.1%} of the draws. Of {len(one['pairs'])} pairs of arms the "
        f"probe tells {alone['probe']} apart (interval without 0, not corrected), fine-tuning {alone['full']}, both "
        f"{len(sure)}, of which {same} in the same order. Fine-tuning's rate is {best}; validation nDCG@10 with random "
        f"and with mined negatives by rate {tried}."
    )


def _sure(gap: list[float]) -> bool:
    return gap[1] > 0 or gap[2] < 0


FULL = """### The probe beside full fine-tuning

All 8 million weights of WordLlama's embedding trained on whole texts, from the same batches with the same loss and the
same rule of stopping as the probe, in all five folds. nDCG@10 of what is held out; the interval draws queries and
seeds anew, the same queries for both. The rate of fine-tuning is the one of five with the best mean of random and
mined negatives on validation data of the first fold, two seeds each. That the probe orders the arms as fine-tuning
does: {told}. Arms that are in truth as good as one another have no order, and pull tau and its interval towards 0."""

PAGES: dict[str, Callable[[Path], str]] = {"sets": sets, "null": null_test, "full": fine_tuning}
