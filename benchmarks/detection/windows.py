"""A small detector of its own kind: sliding windows on channels of a picture, as Dalal and Triggs bootstrapped.

A window is cut into 6 x 6 cells; the mean of nine channels in each (colour, gradient, four orientations of it: Dollar
2009, Integral Channel Features) is what a perceptron with one hidden layer sees. Ridge regression moves the box, and
greedy suppression leaves the best. Its negatives are a list of windows, so hard ones can be added one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hardneg.detect import overlap

__all__ = ["Detector", "Scene", "all_windows", "fitted", "scene_of", "seen"]

Floats = NDArray[np.float64]
CELLS, MARGIN = 6, 0.15  # cells a side; what is looked at around a window, as a share of its side
SIDES = (32, 42, 55, 72, 94, 122, 160, 208, 270)
STEP = 0.2  # of the side, from window to window
SURE, KEPT, SUPPRESSED = 0.02, 300, 0.4


@dataclass(frozen=True, eq=False)
class Scene:
    """The integral image of each channel, shape ``(rows + 1, columns + 1, channels)``, at half the size."""

    sums: NDArray[np.float32]
    width: int
    height: int


def seen(file: Path) -> Scene:
    """The channels of a picture in a file."""
    with Image.open(file) as image:
        return scene_of(image)


def scene_of(image: Image.Image) -> Scene:
    """The channels of a picture."""
    width, height = image.size
    small = np.asarray(image.convert("RGB").resize((width // 2, height // 2), Image.Resampling.BOX), np.float32) / 255
    grey = small.mean(axis=2)
    dy, dx = np.gradient(grey)
    size = np.hypot(dx, dy)
    turn = ((np.arctan2(dy, dx) / np.pi * 4) % 4).astype(np.int64) % 4
    turned = [np.where(turn == one, size, 0) for one in range(4)]
    channels = np.stack(
        [*np.moveaxis(small - small.mean((0, 1)), 2, 0), grey, size * 4, *(4 * one for one in turned)], axis=2
    )
    sums = np.zeros((channels.shape[0] + 1, channels.shape[1] + 1, channels.shape[2]))
    sums[1:, 1:] = channels.cumsum(0, dtype=np.float64).cumsum(1)
    return Scene(sums.astype(np.float32), width, height)


def all_windows(width: int, height: int) -> Floats:
    """Every window of a picture: left, top, width and height."""
    found = []
    for side in SIDES:
        x, y = (np.arange(-0.1 * side, end - 0.9 * side, STEP * side) for end in (width, height))
        left, top = np.meshgrid(x, y)
        found.append(np.stack([left.ravel(), top.ravel(), *np.full((2, left.size), side)], axis=1))
    return np.concatenate(found)


def features(scene: Scene, boxes: Floats) -> NDArray[np.float32]:
    """The mean of each channel in each cell of each window, shape ``(windows, cells * cells * channels)``."""
    rows, columns = scene.sums.shape[0] - 1, scene.sums.shape[1] - 1
    edge = np.linspace(-MARGIN, 1 + MARGIN, CELLS + 1)
    x = np.rint((boxes[:, :1] + edge * boxes[:, 2:3]) / 2).astype(np.int64).clip(0, columns)
    y = np.rint((boxes[:, 1:2] + edge * boxes[:, 3:4]) / 2).astype(np.int64).clip(0, rows)
    flat = scene.sums.reshape(-1, scene.sums.shape[2])
    corner = flat[y[:, :, None] * (columns + 1) + x[:, None, :]]
    cell = corner[:, 1:, 1:] - corner[:, :-1, 1:] - corner[:, 1:, :-1] + corner[:, :-1, :-1]
    area = np.maximum(np.diff(y)[:, :, None] * np.diff(x)[:, None, :], 1)
    return (cell / area[..., None]).reshape(len(boxes), -1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Detector:
    """A perceptron over background and the categories, and for each category how to move the window."""

    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]
    moves: NDArray[np.float32]  # (categories, features + 1, 4)

    def found(self, windows: Floats, looks: NDArray[np.float32]) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Categories, boxes and scores of what is found in one picture, after suppression."""
        x = (looks - self.centre) / self.scale
        (first, shift), (second, last) = self.layers
        out = np.maximum(x @ first + shift, 0) @ second + last
        out = np.exp(out - out.max(axis=1, keepdims=True))
        chance = out / out.sum(axis=1, keepdims=True)
        parts = []
        for category in range(chance.shape[1] - 1):
            score = chance[:, category + 1]
            rows = np.flatnonzero(score > SURE)
            rows = rows[np.argsort(-score[rows], kind="stable")][:KEPT]
            box = _moved(windows[rows], x[rows] @ self.moves[category, :-1] + self.moves[category, -1])
            stays = _suppressed(box)
            parts.append((np.full(int(stays.sum()), category), box[stays], score[rows][stays].astype(np.float64)))
        columns = [np.concatenate(one) for one in zip(*parts, strict=True)]
        return columns[0], columns[1], columns[2]


def _moved(windows: Floats, by: NDArray[np.float32]) -> Floats:
    side = windows[:, 2:]
    centre = windows[:, :2] + side / 2 + by[:, :2] * side
    size = side * np.exp(by[:, 2:].clip(-0.7, 0.7))
    return np.concatenate([centre - size / 2, size], axis=1)


def move_of(windows: Floats, boxes: Floats) -> Floats:
    """What moves each window onto its box: by how many sides, and the logarithm of how much larger."""
    side = windows[:, 2:]
    shift = (boxes[:, :2] + boxes[:, 2:] / 2 - windows[:, :2] - side / 2) / side
    return np.concatenate([shift, np.log(boxes[:, 2:] / side)], axis=1)


def _suppressed(boxes: Floats) -> NDArray[np.bool_]:
    """Which boxes stay, the surest first, where what overlaps a surer one goes."""
    stays = np.ones(len(boxes), bool)
    for row in range(len(boxes)):
        if stays[row]:
            rest = row + 1 + np.flatnonzero(stays[row + 1 :])
            stays[rest[overlap(np.broadcast_to(boxes[row], (len(rest), 4)), boxes[rest]) > SUPPRESSED]] = False
    return stays


def fitted(
    looks: NDArray[np.float32], kind: NDArray[np.int64], moves: Floats, categories: int, seed: int, epochs: int = 20
) -> Detector:
    """A detector from windows: their features, their kind (0 for background), and what moves them onto their boxes."""
    import torch

    torch.manual_seed(seed)
    centre, scale = looks.mean(axis=0), looks.std(axis=0) + 1e-3
    x, y = torch.from_numpy((looks - centre) / scale), torch.from_numpy(kind)
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], 48), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(48, categories + 1)
    )
    steps = epochs * (len(x) // 256 + 1)
    descent = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    falling = torch.optim.lr_scheduler.OneCycleLR(descent, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).tensor_split(len(x) // 256 + 1):
            descent.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            descent.step()
            falling.step()
    layers = [(one.weight.detach().numpy().T.copy(), one.bias.detach().numpy()) for one in (net[0], net[3])]
    ridges = [_ridge(((looks - centre) / scale)[kind == one], moves[kind == one]) for one in range(1, categories + 1)]
    return Detector(centre, scale, layers, np.stack(ridges).astype(np.float32))


def _ridge(x: NDArray[np.float32], y: Floats, least: float = 300.0) -> Any:
    wide = np.concatenate([x, np.ones((len(x), 1))], axis=1).astype(np.float64)
    return np.linalg.solve(wide.T @ wide + least * np.eye(wide.shape[1]), wide.T @ y)
