"""A small convolutional network that learns characters of some alphabets, to be asked about those of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from benchmarks.verification.data import Characters, Named

__all__ = ["folds"]

_WIDTH, _BATCH, _SCALE = 64, 64, 16.0


def folds(data: Characters, work: Path, epochs: int, count: int) -> list[Named]:
    """The characters of each ``count``-th alphabet, by a network that has learnt those of the others only."""
    return [_fold(data, work, epochs, fold, count) for fold in range(count)]


def _fold(data: Characters, work: Path, epochs: int, fold: int, count: int) -> Named:
    asked = data.alphabets % count == fold
    kept = work / f"characters-{fold}of{count}-{epochs}.npy"
    if kept.is_file():
        vectors = np.load(kept)
    else:
        network = _trained(data.drawings[~asked], np.unique(data.codes[~asked], return_inverse=True)[1], epochs)
        vectors = _vectors(network, data.drawings[asked])
        np.save(kept, vectors)
    return Named("characters, network", vectors, data.codes[asked], data.alphabets[asked])


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64), (64, _WIDTH)):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2, ceil_mode=True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * _WIDTH, _WIDTH))


def _trained(drawings: NDArray[np.float32], codes: NDArray[np.int64], epochs: int) -> nn.Module:
    """Trained to name the characters by the cosine to a vector of each (normalised softmax: Wang 2017, NormFace)."""
    torch.manual_seed(0)
    images, labels = torch.from_numpy(drawings)[:, None], torch.from_numpy(codes)
    network, names = _network(), nn.Parameter(torch.randn(int(codes.max()) + 1, _WIDTH))
    optimiser = torch.optim.AdamW([*network.parameters(), names], lr=2e-3, weight_decay=0.01)
    steps = epochs * (len(images) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(images))[: len(images) // _BATCH * _BATCH].split(_BATCH):
            found = functional.normalize(network(_moved(images[rows])))
            loss = functional.cross_entropy(_SCALE * found @ functional.normalize(names).T, labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _moved(images: torch.Tensor) -> torch.Tensor:
    """Turned, stretched and shifted a little, each otherwise."""
    count = len(images)
    turn, lean = (0.2 * torch.randn(count) for _ in range(2))
    wide, high = (1 + 0.15 * torch.randn(count) for _ in range(2))
    shift = 0.1 * torch.randn(2, count)
    rows = [torch.stack([wide * turn.cos(), -turn.sin() + lean, shift[0]], dim=1)]
    rows += [torch.stack([turn.sin(), high * turn.cos(), shift[1]], dim=1)]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _vectors(network: Any, drawings: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.no_grad():
        parts = [network(part) for part in torch.from_numpy(drawings)[:, None].split(512)]
    return np.asarray(torch.cat(parts).numpy(), np.float32)
