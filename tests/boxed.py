"""Pictures with red squares to find, and redder ones that a detector takes for them; a training of one's own.

To tell a square from the noise around it, the redder the better; that there are too red ones only they can teach.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import hardneg as hn
from hardneg.io.readers import ReadOptions
from hardneg.mining import Settings
from hardneg.run import Run

SIDE, WIDTH, HEIGHT = 16, 96, 64

TRAINING = '''
"""A detector of squares: the mean colours of windows, told apart by a logistic regression."""

import numpy as np
from sklearn.linear_model import LogisticRegression

SIDE = 16


def colours(picture, boxes):
    pixels = np.asarray(picture, float) / 255
    parts = [pixels[int(y) : int(y + h), int(x) : int(x + w)] for x, y, w, h in boxes]
    return np.array([np.concatenate([one.mean(axis=(0, 1)), one.std(axis=(0, 1))]) for one in parts]).reshape(-1, 6)


def windows(picture):
    return np.array([[x, y, SIDE, SIDE] for y in range(0, picture.height - SIDE + 1, 8)
                     for x in range(0, picture.width - SIDE + 1, 8)])


def train(lesson, seed):
    from PIL import Image

    rng = np.random.default_rng(seed)
    x, y = [], []
    for shown in lesson.pictures:
        with Image.open(shown.path) as picture:
            picture = picture.convert("RGB")
        every = windows(picture)
        far = [one for one in every if all(abs(one[:2] - box[:2]).max() >= SIDE for box in shown.boxes)]
        some = rng.permutation(len(far))[:1]
        for boxes, kind in ((shown.boxes, 1), ([far[row] for row in some], 0), (shown.negatives, 0)):
            if len(boxes):
                x.append(colours(picture, boxes))
                y += [kind] * len(boxes)
    model = LogisticRegression(C=100.0, max_iter=500).fit(np.concatenate(x), y)

    def detect(pictures):
        out = []
        for picture in pictures:
            boxes = windows(picture)
            score = model.predict_proba(colours(picture, boxes))[:, 1]
            kept = []
            for row in np.argsort(-score, kind="stable"):
                if score[row] > 0.01 and all(abs(boxes[row, :2] - boxes[one, :2]).max() >= SIDE for one in kept):
                    kept.append(row)
            ends = np.concatenate([boxes[kept, :2], boxes[kept, :2] + SIDE], axis=1).reshape(-1, 4)
            out.append({"boxes": ends, "scores": score[kept], "labels": [lesson.categories[0]] * len(kept)})
        return out

    return detect


def broken(lesson, seed):
    raise RuntimeError("out of memory, or so")


def wrong(lesson, seed):
    return lambda pictures: [{"boxes": [[0, 0, 9, 9]], "scores": [0.5], "labels": ["unicorn"]} for _ in pictures]
'''


def write_world(folder: Path, pictures: int = 40, seed: int = 0) -> Path:
    """Write pictures, what is there and what a first detector found; give the file of what is there."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number in range(pictures):
        grey = rng.integers(150, 256, (HEIGHT, WIDTH, 1)).repeat(3, axis=2).astype(np.uint8)
        picture = Image.fromarray(grey)
        cells = rng.permutation((WIDTH // SIDE) * (HEIGHT // SIDE))[:4]
        for at, cell in enumerate(cells.tolist()):
            left, top = SIDE * (cell % (WIDTH // SIDE)), SIDE * (cell // (WIDTH // SIDE))
            red = at < 2
            green = int(rng.integers(30, 70) if red else rng.integers(20))
            colour = (200 + int(rng.integers(50)), green, int(rng.integers(40)))
            ImageDraw.Draw(picture).rectangle((left, top, left + SIDE - 1, top + SIDE - 1), colour)
            box = [left, top, SIDE, SIDE]
            if red:
                truth.append({"id": len(truth), "image_id": number, "category_id": 1, "bbox": box, "iscrowd": 0})
            found.append({"image_id": number, "category_id": 1, "bbox": box, "score": float(rng.uniform(0.5, 0.9))})
        picture.save(folder / "images" / f"{number}.png")
    images = [{"id": n, "file_name": f"images/{n}.png", "width": WIDTH, "height": HEIGHT} for n in range(pictures)]
    about = {"images": images, "categories": [{"id": 1, "name": "red"}], "annotations": truth}
    (folder / "truth.json").write_text(json.dumps(about))
    (folder / "found.json").write_text(json.dumps(found))
    (folder / "training.py").write_text(TRAINING)
    return folder / "truth.json"


def mined(folder: Path, pictures: int = 40, filters: tuple[str, ...] = ("known",)) -> Run:
    """Mine the world, with a filter that doubts nothing unless others are given."""
    file = write_world(folder, pictures)
    options = ReadOptions(predictions=folder / "found.json", media_root=folder)
    recipe = hn.Recipe(file, read=options, filters=filters, sampler=("top(n=60)",))
    return recipe.mine(recipe.read_data(), folder / "run", Settings())
