"""A small data set with boxes, a detector's results, and a run of them: red squares are cats, blue discs are dogs.

Image 1 has a cat and a dog; the dog was taken for a cat. In image 2 are no boxes: the detector took a grey stripe for a
cat (background) and found a cat that has no label (a suspect). Image 3 has a cat, and a crowd of dogs. Image 4 has
nothing, and nothing was found. In image 5 is a cat over the edge. Image 6 has only a crowd.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

import hardneg as hn
from hardneg.io.readers import ReadOptions
from hardneg.mining import Settings
from hardneg.run import Run

WIDTH, HEIGHT = 160, 120
CAT, DOG = 3, 8
STRIPE, HIDDEN, TAKEN = [20.0, 70.0, 60.0, 20.0], [100.0, 20.0, 40.0, 40.0], [91.0, 51.0, 38.0, 38.0]
FILES = {1: "a.png", 2: "night/b.png", 3: "day/b.png", 4: "c.png", 5: "d.png", 6: "e.png"}
TRUTH: dict[str, Any] = {
    "info": {"description": "squares and discs"},
    "images": [
        {"id": key, "file_name": name, "width": WIDTH, "height": HEIGHT, "license": 4} for key, name in FILES.items()
    ],
    "categories": [{"id": CAT, "name": "cat", "supercategory": "animal"}, {"id": DOG, "name": "dog"}],
    "annotations": [
        {"id": 11, "image_id": 1, "category_id": CAT, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0,
         "segmentation": [[10, 10, 50, 10, 50, 50]], "colour": "red"},
        {"id": 12, "image_id": 1, "category_id": DOG, "bbox": [90, 50, 40, 40], "area": 1600, "iscrowd": 0},
        {"id": 13, "image_id": 3, "category_id": CAT, "bbox": [60, 30, 40, 40], "area": 1600, "iscrowd": 0},
        {"id": 14, "image_id": 3, "category_id": DOG, "bbox": [0, 80, 160, 40], "area": 6400, "iscrowd": 1},
        {"image_id": 5, "category_id": CAT, "bbox": [140.5, 100, 40, 40]},
        {"id": 16, "image_id": 6, "category_id": DOG, "bbox": [0, 0, 80, 120], "iscrowd": 1},
        {"id": 17, "image_id": 6, "category_id": DOG, "bbox": [0, 0, 0, 12]},
    ],
}  # fmt: skip
FOUND: list[dict[str, Any]] = [
    {"image_id": 1, "category_id": CAT, "bbox": [10, 10, 40, 40], "score": 0.95},
    {"image_id": 1, "category_id": CAT, "bbox": TAKEN, "score": 0.55},
    {"image_id": 2, "category_id": CAT, "bbox": STRIPE, "score": 0.75},
    {"image_id": 2, "category_id": CAT, "bbox": HIDDEN, "score": 0.9},
]


def write_data(folder: Path, truth: dict[str, Any] = TRUTH) -> Path:
    """Write pictures, ground truth and results; give the file of the ground truth."""
    pictures = {key: Image.new("RGB", (WIDTH, HEIGHT), "white") for key in FILES}
    for key, box in ((1, [10, 10, 40, 40]), (2, HIDDEN), (3, [60, 30, 40, 40]), (5, [140.5, 100, 40, 40])):
        ImageDraw.Draw(pictures[key]).rectangle(_corners(box), "red")
    ImageDraw.Draw(pictures[1]).ellipse(_corners([90, 50, 40, 40]), "blue")
    ImageDraw.Draw(pictures[2]).rectangle(_corners(STRIPE), "grey")
    for key, picture in pictures.items():
        place = folder / "images" / FILES[key]
        place.parent.mkdir(parents=True, exist_ok=True)
        picture.save(place)
    (folder / "found.json").write_text(json.dumps(FOUND))
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder / "truth.json"


def mined(folder: Path, truth: dict[str, Any] = TRUTH) -> Run:
    """Mine them as the command line does; what looks just like a cat is suspect."""
    file = write_data(folder, truth)
    options = ReadOptions(predictions=folder / "found.json", media_root=folder / "images")
    recipe = hn.Recipe(file, read=options, filters=("known", "margin(ceiling=0.9)"))
    return recipe.mine(recipe.read_data(), folder / "run", Settings())


def _corners(box: Sequence[float]) -> tuple[float, float, float, float]:
    return box[0], box[1], box[0] + box[2] - 1, box[1] + box[3] - 1
