"""Milliseconds and memory of a call, beside pytorch-metric-learning; and batches of which there is no peer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.search.kit import best
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
LARGE = ("batch_hard", "semi_hard_nearest", "semi_hard", "distance_weighted", "tempered", "batch_all")


@dataclass(frozen=True)
class Cost:
    """One side: milliseconds, the least of some calls, and MiB at the peak beside what was there before."""

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
    """Time in this process, sides in turn; memory in a fresh process each."""
    out = []
    for size, classes in ((256, 32), *(() if short else ((1024, 100),))):
        x, y = batch(size, classes)
        for rule in PAIRS:
            sides = {side: miner_of(rule, side) for side in ("hardneg", "pytorch-metric-learning")}
            seconds = best({name: partial(one, x, y) for name, one in sides.items()}, REPEATS, rule)
            for side, miner in sides.items():
                chosen = len(miner(x, y)[-1])
                out.append(
                    Cost(rule, side, size, classes, 1e3 * seconds[side], alone(rule, side, size, classes), chosen)
                )
    for rule in LARGE:
        size, classes = (2048, 200) if short else (16_384, 1000)
        x, y = batch(size, classes)
        miner = miner_of(rule, "hardneg")
        seconds = best({"hardneg": partial(miner, x, y)}, 1, rule)
        out.append(Cost(rule, "hardneg", size, classes, 1e3 * seconds["hardneg"],
                        alone(rule, "hardneg", size, classes), len(miner(x, y)[-1])))  # fmt: skip
    return out


def alone(rule: str, side: str, size: int, classes: int) -> float:
    """MiB that a call adds in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.online.cost", rule, side, str(size), str(classes)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(found.stdout))


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
    """One call of one side, and what it added at the peak; a small call first, so that code is not counted."""
    rule, side, size, classes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    miner = miner_of(rule, side)
    miner(*batch(32, 4))
    x, y = batch(size, classes)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = memory("VmRSS")
    found = miner(x, y)
    print(json.dumps(max(memory("VmHWM") - before, 0.0)))
    del found


if __name__ == "__main__":
    main()
