"""Labelled data, on real images and sentences.

    python -m benchmarks.labelled noise sentiment pool clusters --work DIR [--write]
    python -m benchmarks.labelled page --work DIR --write

Vectors are encoded once and kept in DIR, as are the figures; ``page`` prints what is there, ``--write`` puts it into
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine
from benchmarks.labelled import clusters, noise, pages, pool, sentiment
from benchmarks.labelled.data import Labelled, images, minilm

PACKAGES = ("hardneg", "numpy", "scikit-learn", "cleanlab", "torch", "wordllama", "sentence-transformers", "faiss-cpu")
ENCODER = "efficientnet_lite0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=[*MEASURES, "page"])
    parser.add_argument("--work", type=Path, required=True, help="where vectors and figures are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    for what in options.what:
        if what != "page":
            MEASURES[what](options.work, options.seeds)
        for name in MEASURES if what == "page" else [what]:
            text = pages.PAGES[name](options.work)
            print(text)
            if options.write and text:
                machine.write_section(f"labelled-{name}", f"{text}\n\n{machine.described(PACKAGES)}")


def both(work: Path) -> list[Labelled]:
    return [images("cifar10", ENCODER, work), images("flowers12", ENCODER, work)]


def measure_noise(work: Path, seeds: int) -> None:
    for data in both(work):
        pages.keep(work, f"noise-{data.name}", [one for seed in range(seeds) for one in noise.measured(data, seed)])
        pages.keep(work, f"confusions-{data.name}", noise.confusions(data))


def measure_sentiment(work: Path, seeds: int) -> None:
    pages.keep(work, "sentiment-gold", sentiment.gold(work))
    for name in ("sst2", "mr"):
        for label, encoder in (("WordLlama", "wordllama"), ("MiniLM", minilm())):
            pages.keep(work, f"sentiment-{name}-{label}", sentiment.retrained(name, encoder, work, 2 * seeds))


def measure_pool(work: Path, seeds: int) -> None:
    sets = list(zip(both(work), (50, 3), strict=True))
    for data, each in reversed(sets):
        outcomes: list[pool.Outcome] = []
        for seed in range(seeds):
            outcomes += pool.measured(data, each, seed)
            pages.keep(work, f"pool-{data.name}", outcomes)  # after each: it takes minutes


def measure_clusters(work: Path, seeds: int) -> None:  # noqa: ARG001 - nothing is drawn but the clusters' own start
    for data in both(work):
        pages.keep(work, f"clusters-{data.name}", clusters.measured(data))


MEASURES: dict[str, Callable[[Path, int], None]] = {
    "noise": measure_noise,
    "sentiment": measure_sentiment,
    "pool": measure_pool,
    "clusters": measure_clusters,
}

if __name__ == "__main__":
    main()
