"""What was measured with labelled data, as sections of the page of benchmarks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.labelled import clusters, noise, pool, sentiment

__all__ = ["PAGES", "keep"]

Rows = list[dict[str, Any]]

NOISE = """## Label errors among what is mined

A tenth of the training labels is flipped at random. Every training item mines its 100 nearest of another label,
of which the 8 nearest would be trained on. A *flip* among them is of the anchor's own class: a false negative.
*Caught* is the share of flips that is not trained on, *lost* that of true negatives which are not either, both
of anchors with a right label. *cleanlab alone* leaves out every item that cleanlab flags from the same held-out
probabilities of a logistic regression. EfficientNet-Lite0 (a model that a package carries, 224 pixels); means
and standard deviations over {seeds} seeds. Below the bound `negative` a label is believed; 0.1 is the default."""

SENTIMENT = """## Sentiment: counterfactuals, and a classifier's errors

Reviews that people have edited into their opposite with as few words as would do (Kaushik 2020): the edited
review is the hardest negative there can be. How often is it the first, or among the ten first, of the other
label? Last column: how many of these the default filters then hold back."""

RETRAIN = """A classifier (logistic regression on the vectors) of 1,000 labels gets 500 more: at random, or those most
like its errors on the validation split (`predictions(like=20)`, nearest first). Accuracy on the test
split, {seeds} seeds, paired differences with 95% intervals. *Weights - none*: all training labels, with
and without `sample_weight` of the mined."""

POOL = """## A pool without labels, in rounds

CIFAR-10 with 50 labels a class (500 of 10,000), flowers with 3. Four negatives for each anchor train a linear
layer of rank 64 beside the frozen vectors; the next round mines with it. *False*: the share of mined negatives
that are of the anchor's class. *Probe*: a logistic regression on the labels alone, in the trained vectors, on
test items; its difference to the same in the vectors as they came (paired, 95% interval). {seeds} seeds. *No
guards*: the filter `known` alone. *Guards*: `mislabelled` and `unlabelled`. The guards keep their promise from
round to round; with so few labels no training beats the frozen vectors, and hard negatives cost more than
random ones. At this error nothing is sure enough to be labelled."""

CLUSTERS = """## Clusters instead of neighbours

How many of the ten nearest items of another label do clusters find, and at which cost? Every training item is
an anchor."""


def keep(work: Path, name: str, results: Sequence[Any]) -> None:
    """What was measured, as JSON beside the vectors."""
    plain = [asdict(one) if is_dataclass(one) and not isinstance(one, type) else one for one in results]
    (work / f"{name}.json").write_text(json.dumps(plain, indent=1))


def kept(work: Path, name: str) -> Rows:
    file = work / f"{name}.json"
    return json.loads(file.read_text()) if file.is_file() else []


def noise_page(work: Path) -> str:
    parts, seeds = [], 0
    for name in ("cifar10", "flowers12"):
        rows = kept(work, f"noise-{name}")
        seeds = max(seeds, len(rows) // len(noise.ARMS))
        if rows:
            pairs: Any = kept(work, f"confusions-{name}")
            told = ", ".join(f"{one} and {two} {share:.0%}" for one, two, share in pairs)
            table = machine.table(noise.HEAD, noise.summary([noise.Outcome(**one) for one in rows]))
            parts.append(f"{name}. Mined for one another most: {told}.\n\n{table}")
    return "\n\n".join([NOISE.format(seeds=seeds), *parts]) if parts else ""


def sentiment_page(work: Path) -> str:
    found = kept(work, "sentiment-gold")
    rows = [[one["source"], *(f"{one[name]:.1%}" for name in ("at_1", "at_10", "suspect"))] for one in found]
    parts = [SENTIMENT, machine.table(sentiment.GOLD_HEAD, rows)]
    rows, seeds = [], 0
    for name in ("sst2", "mr"):
        for label in ("WordLlama", "MiniLM"):
            runs = kept(work, f"sentiment-{name}-{label}")
            seeds = max(seeds, len(runs))
            if runs:
                of = {arm: [one[arm] for one in runs] for arm in runs[0]}
                means = [f"{np.mean(of[arm]):.1%}" for arm in ("start", "random", "mined")]
                gaps = [
                    sentiment.difference(of[left], of[right])
                    for left, right in (("mined", "random"), ("weighted", "plain"))
                ]
                rows.append([f"{name}, {label}", *means, *gaps])
    return (
        "\n\n".join([*parts, RETRAIN.format(seeds=seeds), machine.table(sentiment.RETRAIN_HEAD, rows)]) if rows else ""
    )


def pool_page(work: Path) -> str:
    rows, seeds = [], 0
    for name in ("cifar10", "flowers12"):
        outcomes = kept(work, f"pool-{name}")
        base = {one["seed"]: one["probe"] for one in outcomes if one["number"] < 0}
        seeds = max(seeds, len(base))
        if outcomes:
            rows.append([name, "labels only", "", "", "", f"{np.mean(list(base.values())):.1%}", ""])
        for arm in pool.ARMS if outcomes else ():
            for number in range(pool.ROUNDS):
                mine = [one for one in outcomes if one["arm"] == arm and one["number"] == number]
                if len(mine) < len(base):  # some seeds stopped before: nothing was left to mine
                    rows.append([name, arm, str(number), f"reached by {len(mine)} of {len(base)} seeds", "", "", ""])
                    continue
                probes, before = [one["probe"] for one in mine], [base[one["seed"]] for one in mine]
                false, pseudo = (np.nanmean([one[column] for one in mine]) for column in ("false", "pseudo"))
                gap = sentiment.difference(probes, before) if len(mine) > 1 else ""
                rows.append([name, arm, str(number), f"{false:.1%}", f"{pseudo:.0f}", f"{np.mean(probes):.1%}", gap])
    return f"{POOL.format(seeds=seeds)}\n\n{machine.table(pool.HEAD, rows)}" if rows else ""


def clusters_page(work: Path) -> str:
    rows = [
        [name, one["source"], f"{one['recall']:.1%}", f"{one['empty']:.1%}", f"{one['seconds']:.1f}"]
        for name in ("cifar10", "flowers12")
        for one in kept(work, f"clusters-{name}")
    ]
    return f"{CLUSTERS}\n\n{machine.table(clusters.HEAD, rows)}" if rows else ""


PAGES: dict[str, Callable[[Path], str]] = {
    "noise": noise_page,
    "sentiment": sentiment_page,
    "pool": pool_page,
    "clusters": clusters_page,
}
