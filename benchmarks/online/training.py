"""Does hard mining help a small network, does a guard, and what do wrong labels do to both? Characters of Omniglot."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.texts import data_folder
from hardneg.online import MINERS, Guarded, Mined, Monitor, Thermostat, TripletLoss, relations_of

SIDE = 28
TEST = ("Early_Aramaic", "Greek", "Korean")  # alphabets that training never sees
ARMS: dict[str, tuple[str, list[str]]] = {
    "random": ("uniform", []),
    "batch-hard": ("batch_hard", []),
    "batch-hard, margin(relative=0.05, reference=mean)": ("batch_hard", ["margin(relative=0.05, reference=mean)"]),
    "batch-hard, rank(skip=2)": ("batch_hard", ["rank(skip=2)"]),
    "thermostat, margin(relative=0.05, reference=mean)": ("thermostat", ["margin(relative=0.05, reference=mean)"]),
}
DIAL_STEP = 0.02  # from random to the hardest in half of the steps, if most triplets are learnt
CLASSES, EACH, STEPS, MARGIN = 24, 4, 100, 0.2


@dataclass(frozen=True)
class Characters:
    """Pictures of shape ``(n, 1, 28, 28)``, 1 for ink; the character of each; whether it is for testing."""

    pictures: torch.Tensor
    labels: NDArray[np.int64]
    test: NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """One training: precision at 1 and mean average precision at R on characters never seen."""

    arm: str
    noise: float
    seed: int
    first: float
    map_r: float
    seconds: float
    false_share: float  # of the mined negatives, those of the anchor's true character, in the last third


def characters() -> Characters:
    """All pictures, shrunk by averaging blocks."""
    from PIL import Image

    folder = data_folder() / "identity_omniglot"
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = np.zeros((len(rows), 1, SIDE, SIDE), np.float32)
    with zipfile.ZipFile(folder / "images.zip") as archive:
        for row, one in enumerate(rows):
            with Image.open(io.BytesIO(archive.read(one["path"]))) as picture:
                small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
            pictures[row, 0] = 1 - np.asarray(small, np.float32) / 255
    labels = np.unique([one["character"] for one in rows], return_inverse=True)[1].astype(np.int64)
    test = np.array([one["alphabet"] in TEST for one in rows])
    return Characters(torch.from_numpy(pictures), labels, test)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inside, outside in ((1, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 9, 64))


def spoilt(labels: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """A share of the labels replaced by another one of those in use."""
    out, used = labels.copy(), np.unique(labels)
    for row in rng.choice(len(labels), round(share * len(labels)), replace=False):
        out[row] = rng.choice(used[used != labels[row]])
    return out


def batch(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """``CLASSES`` classes, ``EACH`` pictures of each."""
    classes = rng.choice(np.unique(labels), CLASSES, replace=False)
    return np.concatenate([rng.choice(np.flatnonzero(labels == one), EACH) for one in classes])


def trained(data: Characters, arm: str, noise: float, seed: int, steps: int = STEPS) -> Outcome:
    """Train with one arm: the same batches, network, loss and number of steps for all."""
    rng = np.random.default_rng([seed, 1])
    pictures, truth = data.pictures[~data.test], data.labels[~data.test]
    labels = spoilt(truth, noise, rng)
    model = network(seed)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    thermostat, monitor = Thermostat(step=DIAL_STEP, seed=seed), Monitor(margin=MARGIN)
    miner = thermostat if ARMS[arm][0] == "thermostat" else MINERS.make(ARMS[arm][0])
    miner = Guarded(miner, ARMS[arm][1]) if ARMS[arm][1] else miner
    loss_of, false, mined = TripletLoss(MARGIN), 0, 0
    began = time.perf_counter()
    for step in range(steps):
        rows = batch(labels, rng)
        given = torch.from_numpy(labels[rows])
        embeddings = model(pictures[rows])
        found = miner(embeddings, relations_of(given))
        loss = loss_of(embeddings, given, found)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        alarms = monitor.observe(loss, embeddings, nearness(embeddings, found))
        thermostat.update(monitor.active, alarms)
        if step >= 2 * steps // 3:
            real = torch.from_numpy(truth[rows])
            false, mined = false + int((real[found[0]] == real[found[2]]).sum()), mined + len(found[0])
    seconds = time.perf_counter() - began
    first, map_r = scored(model, data)
    return Outcome(arm, noise, seed, first, map_r, seconds, false / max(mined, 1))


def nearness(embeddings: torch.Tensor, found: tuple[torch.Tensor, ...]) -> Mined:
    """What was mined, with the distances of the loss, less for more alike."""
    x = nn.functional.normalize(embeddings.detach(), dim=1)
    a, p, n = found
    return Mined(-(x[a] - x[p]).norm(dim=1), -(x[a] - x[n]).norm(dim=1))


def scored(model: nn.Module, data: Characters) -> tuple[float, float]:
    """Precision at 1 and MAP@R (Musgrave 2020, arXiv 2003.08505): every test picture asks for all the others."""
    model.eval()
    with torch.no_grad():
        x = nn.functional.normalize(model(data.pictures[data.test]), dim=1)
    labels = torch.from_numpy(data.labels[data.test])
    same = labels[:, None] == labels
    score = (x @ x.T).fill_diagonal_(-2)
    wanted = int(same.sum(1)[0]) - 1
    hits = same.gather(1, score.topk(wanted, dim=1).indices).double()
    precision = hits.cumsum(1) / torch.arange(1, wanted + 1)
    return float(hits[:, 0].mean()), float((precision * hits).sum(1).mean() / wanted)


def measured(seeds: int, *, short: bool = False) -> list[Outcome]:
    """All arms with clean labels and with a tenth of them wrong."""
    data, out = characters(), []
    for seed in range(seeds):
        for noise in (0.0, 0.1):
            for arm in ARMS:
                out.append(trained(data, arm, noise, seed, 30 if short else STEPS))
                print(out[-1], flush=True)
    return out


def rows(outcomes: list[Any]) -> list[list[str]]:
    """Means, and paired differences to random triplets with 95% intervals over the seeds."""
    from scipy.stats import t

    out = []
    for noise in sorted({one["noise"] for one in outcomes}):
        of = {arm: sorted((o for o in outcomes if (o["arm"], o["noise"]) == (arm, noise)), key=lambda o: o["seed"])
              for arm in ARMS}  # fmt: skip
        base = np.array([one["map_r"] for one in of["random"]])
        for arm, some in of.items():
            score = np.array([one["map_r"] for one in some])
            gap = score - base
            difference = "" if arm == "random" else f"{gap.mean():+.1%}"
            if difference and len(gap) > 1:
                reach = t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
                difference += f" ({gap.mean() - reach:+.1%} to {gap.mean() + reach:+.1%})"
            first, false = (np.mean([one[name] for one in some]) for name in ("first", "false_share"))
            out.append([f"{noise:.0%}", arm, f"{first:.1%}", f"{score.mean():.1%}", difference, f"{false:.2%}"])
    return out
