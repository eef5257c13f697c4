"""What was measured of verification, as sections of the page of benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks import machine
from benchmarks.labelled.pages import kept
from benchmarks.verification.heads import ARMS, FIGURES

__all__ = ["PAGES"]

HEADS = """## Impostors to train a verifier with: mined or random?

A linear head (64 numbers, beginning at the principal directions) on frozen vectors learns to tell by the cosine whether
a pair is of one identity, with the logistic loss. Half of the identities train it, the others are the test. The arms
differ in where the impostor pairs come from: at random, the four nearest of another identity of each example with
hardneg's default filters, the same with the filter `known` alone, or half and half; all have as many pairs and steps.
Faces: 40 people, ten pictures each (ORL). Characters: 242 of 8 alphabets, each by 20 hands (Omniglot), vectors of a
small convolutional network that has learnt the other half of the alphabets. *Look-alikes*: the impostors of the test
are the four nearest of each example in the vectors as they come. {seeds} seeds, each with its own split.
Differences are to the random arm, with 95% intervals: over seeds (Student's t), and over test identities drawn anew.

What comes out depends on the vectors. With EfficientNet mined impostors are better than random ones on all trials; with
the descriptor there is no difference; with characters they are better against look-alikes and worse on all trials, and
half and half keeps most of the gain at a third of the loss. TAR at a FAR of 0.001 differs by less than 3 points from
that of random impostors everywhere. The guards change little where the labels are right."""

PLANTED = """## A person under two names

A tenth of the identities is split: half of the examples get another name. How many are found again by `same_identity`
(`hardneg identities`), and how many of all reports are false? Characters are asked of networks that have not learnt
their alphabets; letters of two alphabets that look the same count as false. Vectors as weak as those of characters (an
equal error rate of 8 to 11%) leave most unfound: strangers are as like one another there as a name is to itself."""

DIGITS = """## What is hard for a voice

Spoken digits of six speakers (FSDD, {count} utterances), voices by Resemblyzer. Does the hardest negative of the
speaker task, the nearest utterance of another speaker, say the same digit? Below the share, its lowest and highest of a
speaker."""


def heads_page(work: Path) -> str:
    parts, seeds = [], 0
    for file in sorted(work.glob("heads-*.json")):
        rows = kept(work, file.stem)
        runs = sorted({one["seed"] for one in rows})
        seeds = max(seeds, len(runs))
        table = machine.table(("impostor pairs", *FIGURES, "EER - random", "EER, look-alikes - random"), _arms(rows))
        pairs = np.mean([one["pairs"] for one in rows])
        parts.append(f"{file.stem.removeprefix('heads-')}, {pairs:,.0f} pairs.\n\n{table}")
    return "\n\n".join([HEADS.format(seeds=seeds), *parts]) if parts else ""


def _arms(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    found = {arm: [one for one in rows if one["arm"] == arm] for arm in ARMS}
    base = found["random"]
    out = []
    for arm, runs in found.items():
        means = np.nanmean([one["figures"] for one in runs], axis=0)
        gaps = ["", ""] if arm == "random" else [_gap(runs, base, place) for place in (0, 3)]
        out.append([arm, *(f"{one:.1%}" for one in means), *gaps])
    return out


def _gap(runs: Sequence[dict[str, Any]], base: Sequence[dict[str, Any]], place: int) -> str:
    """The mean paired difference, with its interval over seeds and over identities."""
    gaps = _column(runs, place) - _column(base, place)
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
    drawn = np.mean(
        [
            np.array(one["drawn"])[:, place] - np.array(other["drawn"])[:, place]
            for one, other in zip(runs, base, strict=True)
        ],
        axis=0,
    )
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    over_seeds = f"seeds {gaps.mean() - half:+.1%} to {gaps.mean() + half:+.1%}"
    return f"{gaps.mean():+.1%} ({over_seeds}; identities {low:+.1%} to {high:+.1%})"


def _column(runs: Sequence[dict[str, Any]], place: int) -> NDArray[np.float64]:
    return np.array([one["figures"][place] for one in runs])


def planted_page(work: Path) -> str:
    rows = []
    for file in sorted(work.glob("planted-*.json")):
        runs = kept(work, file.stem)
        planted, found, false = (sum(one[name] for one in runs) for name in ("planted", "found", "false"))
        share = f"{false / max(found + false, 1):.1%} of {found + false}"
        rows.append([file.stem.removeprefix("planted-"), str(len(runs)), f"{found / planted:.0%} of {planted}", share])
    head = ("vectors", "plantings", "found", "false reports")
    return f"{PLANTED}\n\n{machine.table(head, rows)}" if rows else ""


def digits_page(work: Path) -> str:
    found = kept(work, "digits")
    rows = [[one["source"], f"{one['share']:.1%}", f"{one['low']:.1%}", f"{one['high']:.1%}"] for one in found]
    text = DIGITS.format(count=f"{found[0]['utterances']:,}" if found else "")
    return f"{text}\n\n{machine.table(('negative', 'same digit', 'lowest', 'highest'), rows)}" if rows else ""


PAGES: dict[str, Callable[[Path], str]] = {"heads": heads_page, "planted": planted_page, "digits": digits_page}
