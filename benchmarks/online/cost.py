"""Milliseconds and memory of a call, beside pytorch-metric-learning; and batches of which there is no peer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.search.kit import say
from benchmarks.sides import memory
from hardneg.online import Miner, make_miner

WIDTH, REPEATS = 128, 3
# Ours, and the peer's miner of the same rule: its class and what it is called with.
PAIRS: dict[str, tuple[str, str | None, tuple[Any, ...]]] = {
    "semi-hard, all triplets": ("semi_hard(budget=none)", "TripletMarginMiner", (0.2, "semihard")),
    "semi-hard, 100,000 drawn": ("semi_hard(budget=100000)", "TripletMarginMiner", (0.2, "semihard")),
    "semi-hard, nearest beyond": ("semi_hard_nearest", "TripletMarginMiner", (0.2, "semihard")),
    "batch-hard": ("batch_hard", "BatchHardMiner", ()),
    "multi-similarity": ("multi_similarity", "MultiSimilarityMiner", (0.1,)),
    "distance-weighted": ("distance_weighted", "DistanceWeightedMiner", ()),
}
LARGE, LARGE_FROM = ("batch_hard", "semi_hard_nearest", "semi_hard"), 2048


@dataclass(frozen=True)
class Cost:
    """One side: milliseconds of the processor, the least of some calls, and MiB at the peak beyond those before."""

    rule: str
    side: str
    batch: int
    classes: int
    milliseconds: float
    mib: float
    chosen: int


def batch(size: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors in clouds around their class, as half-way through a training."""
    source = torch.Generator().manual_seed(0)
    centres = torch.randn(classes, WIDTH, generator=source)
    labels = torch.randint(classes, (size,), generator=source)
    noise = torch.randn(size, WIDTH, generator=source)
    return torch.nn.functional.normalize(centres[labels] + 1.5 * noise, dim=1), labels


def miner_of(rule: str, side: str) -> Callable[..., Any]:
    ours, name, options = PAIRS.get(rule, (rule, None, ()))
    if side == "hardneg":
        found: Miner = make_miner(ours)
        return found
    from pytorch_metric_learning import miners

    made: Callable[..., Any] = getattr(miners, str(name))(*options)
    return made


def measured(*, short: bool = False) -> list[Cost]:
    """Each side in a fresh process, one after the other."""
    sizes = ((256, 32), *(() if short else ((1024, 100),)))
    out = [
        alone(rule, side, size, classes)
        for size, classes in sizes
        for rule in PAIRS
        for side in ("hardneg", "pytorch-metric-learning")
    ]
    large = (2048, 200) if short else (16_384, 1000)
    return [*out, *(alone(rule, "hardneg", *large) for rule in LARGE)]


def alone(rule: str, side: str, size: int, classes: int) -> Cost:
    """What a call costs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.online.cost", rule, side, str(size), str(classes)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    say(found.stdout.strip())
    return Cost(rule, side, size, classes, **json.loads(found.stdout))


def page(costs: list[dict[str, Any]]) -> tuple[list[list[str]], list[list[str]]]:
    """The rows beside the peer, and those without one."""
    beside, large = [], []
    for ours in (one for one in costs if one["side"] == "hardneg"):
        key = [(one["batch"], one["rule"]) for one in costs]
        theirs = [
            one for one, at in zip(costs, key, strict=True) if at == (ours["batch"], ours["rule"]) and one is not ours
        ]
        if not theirs:
            large.append([f"`{ours['rule']}`", f"{ours['batch']:,}", f"{ours['milliseconds'] / 1e3:.1f}",
                          f"{ours['mib']:.0f}", f"{ours['chosen']:,}"])  # fmt: skip
            continue
        peer = theirs[0]
        beside.append([
            ours["rule"], f"{ours['batch']:,}", f"{ours['milliseconds']:.0f}", f"{peer['milliseconds']:.0f}",
            f"{peer['milliseconds'] / ours['milliseconds']:.1f}", f"{ours['mib']:.0f}", f"{peer['mib']:.0f}",
            f"{peer['mib'] / max(ours['mib'], 0.1):.1f}", f"{ours['chosen']:,}", f"{peer['chosen']:,}",
        ])  # fmt: skip
    return beside, large


def main() -> None:
    """What calls of one side add at the peak, and the processor's time of the quickest.

    A small call comes first, so that code is not counted.
    """
    rule, side, size, classes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    miner = miner_of(rule, side)
    miner(*batch(32, 4))
    x, y = batch(size, classes)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, seconds, chosen = memory("VmRSS"), [], 0
    for _ in range(REPEATS if size < LARGE_FROM else 1):
        began = time.process_time()
        chosen = len(miner(x, y)[-1])
        seconds.append(time.process_time() - began)
    mib = max(memory("VmHWM") - before, 0.0)
    print(json.dumps({"milliseconds": 1e3 * min(seconds), "mib": mib, "chosen": chosen}))


if __name__ == "__main__":
    main()
