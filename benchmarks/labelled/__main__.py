"""Labelled data, on real images and sentences.

    python -m benchmarks.labelled noise sentiment pool clusters --work DIR [--write]

Vectors are encoded once and kept in DIR; ``--write`` puts the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.labelled import clusters, noise, pool, sentiment
from benchmarks.labelled.data import Labelled, images, minilm

PACKAGES = ("numpy", "scikit-learn", "cleanlab", "torch", "wordllama", "sentence-transformers")
ENCODER = "efficientnet_lite0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["noise", "sentiment", "pool", "clusters"])
    parser.add_argument("--work", type=Path, required=True, help="where vectors and results are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    made = {"noise": noise_page, "sentiment": sentiment_page, "pool": pool_page, "clusters": clusters_page}
    for what in options.what:
        text = made[what](options.work, options.seeds)
        print(text)
        if options.write:
            machine.write_section(f"labelled-{what}", f"{text}\n\n{machine.described(PACKAGES)}")


def both(work: Path) -> list[Labelled]:
    return [images("cifar10", ENCODER, work), images("flowers12", ENCODER, work)]


def noise_page(work: Path, seeds: int) -> str:
    parts = []
    for data in both(work):
        outcomes = [one for seed in range(seeds) for one in noise.measured(data, seed)]
        kept(work, f"noise-{data.name}", outcomes)
        pairs = ", ".join(f"{one} and {two} {share:.0%}" for one, two, share in noise.confusions(data))
        parts += [f"{data.name}, {seeds} seeds. Mined for one another most: {pairs}.", ""]
        parts += [machine.table(noise.HEAD, noise.summary(outcomes)), ""]
    return "\n".join(parts)


def sentiment_page(work: Path, seeds: int) -> str:
    found = sentiment.gold(work)
    kept(work, "sentiment-gold", found)
    rows = [[one.source, f"{one.at_1:.1%}", f"{one.at_10:.1%}", f"{one.suspect:.1%}"] for one in found]
    parts = [machine.table(sentiment.GOLD_HEAD, rows), ""]
    rows = []
    for name in ("sst2", "mr"):
        for label, encoder in (("WordLlama", "wordllama"), ("MiniLM", minilm())):
            runs = sentiment.retrained(name, encoder, work, 2 * seeds)
            kept(work, f"sentiment-{name}-{label}", runs)
            means = [f"{np.mean([getattr(one, arm) for one in runs]):.1%}" for arm in ("start", "random", "mined")]
            gaps = [
                sentiment.difference([getattr(one, left) for one in runs], [getattr(one, right) for one in runs])
                for left, right in (("mined", "random"), ("weighted", "plain"))
            ]
            rows.append([f"{name}, {label}", *means, *gaps])
    return "\n".join([*parts, machine.table(sentiment.RETRAIN_HEAD, rows)])


def pool_page(work: Path, seeds: int) -> str:
    rows = []
    for data, each in zip(both(work), (50, 3), strict=True):
        outcomes = [one for seed in range(seeds) for one in pool.measured(data, each, seed)]
        kept(work, f"pool-{data.name}", outcomes)
        base = [one.probe for one in outcomes if one.number < 0]
        rows.append([data.name, "labels only", "", "", "", f"{np.mean(base):.1%}", ""])
        for arm in pool.ARMS:
            for number in range(pool.ROUNDS):
                mine = [one for one in outcomes if one.arm == arm and one.number == number]
                probes = [one.probe for one in mine]
                false, pseudo = (np.nanmean([getattr(one, name) for one in mine]) for name in ("false", "pseudo"))
                gap = sentiment.difference(probes, base)
                rows.append(
                    [data.name, arm, str(number), f"{false:.1%}", f"{pseudo:.0f}", f"{np.mean(probes):.1%}", gap]
                )
    return machine.table(pool.HEAD, rows)


def clusters_page(work: Path, seeds: int) -> str:  # noqa: ARG001 - nothing is drawn but the clusters' own start
    rows = []
    for data in both(work):
        found = clusters.measured(data)
        kept(work, f"clusters-{data.name}", found)
        rows += [
            [data.name, one.source, f"{one.recall:.1%}", f"{one.empty:.1%}", f"{one.seconds:.1f}"] for one in found
        ]
    return machine.table(clusters.HEAD, rows)


def kept(work: Path, name: str, results: list[object] | list[noise.Outcome]) -> None:
    """What was measured, as JSON beside the vectors."""
    (work / f"{name}.json").write_text(json.dumps([asdict(one) for one in results], indent=1))  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
