"""Online mining: what it costs, what it takes for negatives, what training on that brings.

    python -m benchmarks.online cost planted training --work DIR [--short] [--write]
    python -m benchmarks.online page --work DIR --write

cost      milliseconds and memory of a call, next to pytorch-metric-learning; batches of 16,384
planted   false negatives among what is mined, with and without guards
training  a small network on Omniglot: random, batch-hard, with a guard, a thermostat; clean and wrong labels
page      write the sections of docs/benchmarks.md from the figures in the work folder

All sides run on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks import machine
from benchmarks.online import cost, planted, training

PACKAGES = ("hardneg", "torch", "pytorch-metric-learning", "numpy")

COST = """## Online miners: milliseconds and memory

A call on vectors of 128 numbers in clouds around their classes, each side in a process of its own with one thread: the
processor's time of the quickest of {repeats} calls, and what the peak of memory adds. *Semi-hard, all triplets* chooses
the triplets of `TripletMarginMiner`, so most of its memory is the answer; the two others choose fewer by rules of their
own, and are there because nobody trains on millions of triplets."""

LARGE = """A batch of 16,384 with 1,000 classes, which has no peer here: one call each. `chunk_mib` is 32."""

PLANTED = """## Planted false negatives in a batch

64 classes of 16; of 6 classes every other member has another label, so 0.07% of all negatives are false. *False*: their
share among what a miner takes; *fewer*: how many times fewer with a guard. *Likeness*: the mean cosine to the anchor,
of all and of the true negatives; *kept*: that of the true ones against no guard. {batches} batches each."""

TRAINING = """## Training with online miners

Omniglot, 28 x 28 pixels, a network of three convolutions, {steps} steps of {batch} pictures ({classes} characters),
triplet loss with a margin of 0.2; the same batches, network and number of steps for all; random has a triplet for each
positive pair, batch-hard one for each anchor. *Thermostat*: one for each positive pair too, from random towards the
hardest while fewer than 30% of the triplets have a loss, and back above 60%. Tested on the characters of alphabets that
training never sees: precision at 1, and mean average precision at R with its paired difference to random triplets (95%
interval over {seeds} seeds). *Wrong*: training labels replaced at random. *False*: share of mined negatives that are of
the anchor's true character, in the last third."""


def measure_cost(short: bool) -> list[Any]:
    return cost.measured(short=short)


def measure_planted(short: bool) -> list[Any]:
    return planted.measured(short=short)


def measure_training(short: bool) -> list[Any]:
    return training.measured(1 if short else 5, short=short)


def page_cost(found: list[dict[str, Any]]) -> str:
    beside, large = cost.page(found)
    head = ["rule", "batch", "ms", "peer, ms", "times as fast", "MiB", "peer, MiB", "times leaner", "chosen", "peer's"]
    return "\n\n".join([
        COST.format(repeats=cost.REPEATS), machine.table(head, beside), LARGE,
        machine.table(["miner", "batch", "seconds", "MiB", "chosen"], large),
    ])  # fmt: skip


def page_planted(found: list[dict[str, Any]]) -> str:
    head = ["classes", "miner", "guard", "false", "fewer", "likeness", "of the true", "kept", "taken"]
    return "\n\n".join([PLANTED.format(batches=planted.BATCHES), machine.table(head, planted.page(found))])


def page_training(found: list[dict[str, Any]]) -> str:
    told = TRAINING.format(
        steps=training.STEPS, batch=training.CLASSES * training.EACH, classes=training.CLASSES,
        seeds=len({one["seed"] for one in found}),
    )  # fmt: skip
    head = ["wrong", "arm", "precision at 1", "MAP@R", "MAP@R - random", "false"]
    return "\n\n".join([told, machine.table(head, training.rows(found))])


PARTS: dict[str, tuple[Callable[[bool], list[Any]], Callable[[list[dict[str, Any]]], str]]] = {
    "cost": (measure_cost, page_cost),
    "planted": (measure_planted, page_planted),
    "training": (measure_training, page_training),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.online", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "page"])
    parser.add_argument("--work", type=Path, required=True, help="where figures are kept")
    parser.add_argument("--short", action="store_true", help="small, to see that it runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    ending = "-short" * options.short
    for part in options.parts:
        if part != "page":
            load = os.getloadavg()[0]
            found = [asdict(one) for one in PARTS[part][0](options.short)]
            file = options.work / f"online-{part}{ending}.json"
            file.write_text(json.dumps({"load": load, "found": found}, indent=1))
        for name in PARTS if part == "page" else [part]:
            file = options.work / f"online-{name}{ending}.json"
            if file.is_file():
                saved = json.loads(file.read_text())
                text = PARTS[name][1](saved["found"])
                print(text)
                if options.write:
                    told = f"{machine.described(PACKAGES)} One thread; load {saved['load']:.1f} at the start."
                    machine.write_section(f"online-{name}", f"{text}\n\n{told}")


if __name__ == "__main__":
    main()
