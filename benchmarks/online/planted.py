"""Planted false negatives: some classes are split into two labels. How many does each miner take for negatives?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hardneg.online import About, Guard, Relations, class_means, make_miner, relations_of

CLASSES, EACH, SPLIT, WIDTH, BATCHES = 64, 16, 0.1, 128, 3
MINERS = ("batch_hard", "all_hard(budget=100000)", "multi_similarity", "top_k(negatives=5)", "tempered",
          "semi_hard(budget=100000)", "semi_hard_nearest", "distance_weighted", "uniform")  # fmt: skip
MEANS = "class means, margin="  # the guide is the class, not a member of it
GUARDS: dict[str, list[str]] = {
    "none": [],
    "margin(relative=0.05)": ["margin(relative=0.05)"],
    "margin(relative=0.05, reference=mean)": ["margin(relative=0.05, reference=mean)"],
    "rank(skip=8)": ["rank(skip=8)"],
    "agreement(reciprocal=8)": ["agreement(reciprocal=8)"],
    **{f"{MEANS}{one}": [f"agreement(encoder=guide, margin={one}, reference=mean)"] for one in (0.35, 0.5)},
}
# How far members lie from the middle of their class, against the distance of two classes.
SPREADS = {"well apart": 0.6, "overlapping": 1.5}


@dataclass(frozen=True)
class Share:
    """Of what one miner took under one guard: the false, and how like the anchor all and the true ones are."""

    spread: str
    miner: str
    guard: str
    false: float
    hardness: float
    true_hardness: float
    taken: int


def batch(spread: float, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vectors, labels and true classes; of a tenth of the classes every other member has a label of its own."""
    source = torch.Generator().manual_seed(seed)
    truth = torch.arange(CLASSES).repeat_interleave(EACH)
    centres = torch.randn(CLASSES, WIDTH, generator=source)
    x = centres[truth] + spread * torch.randn(len(truth), WIDTH, generator=source)
    split = torch.randperm(CLASSES, generator=source)[: round(SPLIT * CLASSES)]
    other = torch.isin(truth, split) & (torch.arange(len(truth)) % 2 == 1)
    return torch.nn.functional.normalize(x, dim=1), truth + CLASSES * other, truth


def measured(*, short: bool = False) -> list[Share]:
    """All miners under all guards; a batch is judged once by each guard."""
    out = []
    for name, spread in SPREADS.items():
        batches = [batch(spread, seed) for seed in range(1 if short else BATCHES)]
        for guard, filters in GUARDS.items():
            allowed = [_allowed(guard, filters, x, labels) for x, labels, _ in batches]
            for miner in MINERS:
                out.append(Share(name, miner, guard, *_shares(miner, batches, allowed)))
                print(out[-1], flush=True)
    return out


def _allowed(guard: str, filters: list[str], x: torch.Tensor, labels: torch.Tensor) -> Relations:
    """What a guard leaves, worked out once and kept."""
    relation = relations_of(labels)
    if not filters:
        return relation
    about = (
        {"about": About(guide=class_means(x, labels)), "ref_about": About(guide=x)} if guard.startswith(MEANS) else {}
    )
    refused = Guard(filters).judge(x, labels, **about).refused(slice(0, len(x)))
    return relation.without(lambda rows: refused[rows])


def _shares(
    miner: str, batches: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], allowed: list[Relations]
) -> tuple[float, float, float, int]:
    torch.manual_seed(0)
    likes, falses, one = [], [], make_miner(miner)
    for (x, _, truth), relation in zip(batches, allowed, strict=True):
        found = one(x, relation)
        anchors, negatives = (found[2], found[3]) if len(found) == 4 else (found[0], found[2])
        likes.append((x[anchors] * x[negatives]).sum(1).double().numpy())
        falses.append((truth[anchors] == truth[negatives]).numpy())
    like, false = np.concatenate(likes), np.concatenate(falses)
    if not len(like):
        return 0.0, float("nan"), float("nan"), 0
    true = float(like[~false].mean()) if (~false).any() else float("nan")
    return float(false.mean()), float(like.mean()), true, len(like)


def page(shares: list[dict[str, Any]]) -> list[list[str]]:
    """Each miner without a guard and with each, and what became of its hardness."""
    free = {(one["spread"], one["miner"]): one for one in shares if one["guard"] == "none"}
    out = []

    def figure(value: float) -> str:
        return "" if np.isnan(value) else f"{value:.3f}"

    for one in shares:
        base = free[one["spread"], one["miner"]]
        fewer = "" if one is base else f"{base['false'] / one['false']:.1f}" if one["false"] else "all gone"
        # There is nothing to keep of random negatives, whose hardness is 0, nor where all were false.
        none = one is base or not base["true_hardness"] > 0.05 or np.isnan(one["true_hardness"])
        kept = "" if none else f"{one['true_hardness'] / base['true_hardness']:.2f}"
        out.append([one["spread"], f"`{one['miner']}`", one["guard"], f"{one['false']:.2%}", fewer,
                    figure(one["hardness"]), figure(one["true_hardness"]), kept, f"{one['taken']:,}"])  # fmt: skip
    return out
