"""A second round of training: does a detector get better by the negatives that were mined from its own mistakes?

    python -m benchmarks.detection.second_round --work DIR [--seeds 5] [--write]

BCCD's blood cells. A detector (:mod:`benchmarks.detection.windows`) is trained on the labelled cells and random windows
of background of 100 pictures, and run over these same pictures. Then it is trained anew with more background, as much
for each arm: what hardneg mined with its default filters and sampler, the surest false positives as they are, random
windows, nothing. 80 other pictures test. All of it once more with a fifth of the training labels deleted.

What each arm found in the test pictures is kept in DIR, an ``.npz`` a draw; ``--page`` prints what is there. A draw
takes a minute of one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.detection import rounds_page, windows
from benchmarks.detection.data import records
from benchmarks.detection.rounds_page import ARMS, TEST
from benchmarks.detection.windows import Detector, Scene, all_windows, features, fitted, seen
from benchmarks.texts import data_folder
from hardneg.detect import Detections, Kind, Truth, matched, mistakes, overlap
from hardneg.encode import EmbeddingCache
from hardneg.io.readers import ReadOptions
from hardneg.mining import Settings
from hardneg.recipe import Recipe

__all__ = ["as_background", "empty_windows", "one_draw", "trained", "windows_on"]

TRAIN, RANDOM = 100, 10  # pictures; random windows of each in the first round
SIZE = (640, 480)
PACKAGES = ("hardneg", "numpy", "torch", "scikit-learn", "hotcoco")

Floats = NDArray[np.float64]
Rows = tuple[NDArray[np.int64], NDArray[np.int64], Floats]  # the picture, the category, the box of each row


@dataclass(frozen=True, eq=False)
class Cells:
    """The pictures, and the boxes in all of them."""

    files: Sequence[Path]
    names: Sequence[str]
    boxes: Truth

    def of(self, pictures: Sequence[int], gone: float, seed: int) -> Truth:
        """The boxes in some pictures, numbered anew; each is deleted with probability ``gone``."""
        place = np.full(len(self.files), -1)
        place[list(pictures)] = np.arange(len(pictures))
        stays = (place[self.boxes.image] >= 0) & (np.random.default_rng([seed, 7]).random(len(self.boxes)) >= gone)
        return Truth(place[self.boxes.image[stays]], self.boxes.category[stays], self.boxes.box[stays])


def cells(work: Path) -> Cells:
    """Read BCCD; pictures are unpacked into ``work`` once. Boxes without an area are left out."""
    folder = data_folder() / "det_bccd"
    said = json.loads((folder / "annotations.json").read_text())
    if not (work / "cells").is_dir():
        with zipfile.ZipFile(folder / "images.zip") as archive:
            archive.extractall(work / "cells")
    paths = {file.name: file for file in (work / "cells").rglob("*.jpg")}
    rows = {one["id"]: row for row, one in enumerate(said["images"])}
    kinds = {one["id"]: row for row, one in enumerate(said["categories"])}
    there = [one for one in said["annotations"] if min(one["bbox"][2:]) > 0]
    boxes = Truth(
        np.array([rows[one["image_id"]] for one in there]),
        np.array([kinds[one["category_id"]] for one in there]),
        np.array([one["bbox"] for one in there], np.float64),
    )
    return Cells(
        [paths[one["file_name"]] for one in said["images"]], [one["name"] for one in said["categories"]], boxes
    )


def one_draw(data: Cells, gone: float, seed: int, work: Path) -> dict[str, Any]:
    """Both rounds with one division of the pictures: what each arm found in those of the test."""
    drawn = np.random.default_rng(seed).permutation(len(data.files))
    train, test = drawn[:TRAIN].tolist(), drawn[TRAIN : TRAIN + TEST].tolist()
    labels, whole = data.of(train, gone, seed), data.of(train, 0, seed)
    scenes = [seen(data.files[one]) for one in train]
    things, empty = windows_on(labels, seed), empty_windows(scenes, labels, RANDOM, seed)
    first = trained(scenes, [things, as_background(empty)], len(data.names), seed)
    found = _over(scenes, {"first": first})["first"]
    mined = _mined(data, train, labels, found, work)
    added = {
        "mined": mined,
        "surest, no guards": _surest(labels, found, np.bincount(mined[1], minlength=len(data.names))),
        "random": _some(empty_windows(scenes, labels, 4 * RANDOM, seed + 1), len(mined[0]), seed),
        "none added": _some(empty, 0, seed),
    }
    arms = {
        arm: trained(scenes, [things, as_background(empty), as_background(more)], len(data.names), seed)
        for arm, more in added.items()
    }
    results = _over([seen(data.files[one]) for one in test], arms)
    there = data.of(test, 0, seed)
    kept: dict[str, Any] = {"there": _columns(there)}
    for arm in ARMS:
        kept[arm] = np.column_stack([_columns(results[arm]), results[arm].score])
        kept[f"added {arm}"] = np.array([len(added[arm][0]), _cells_in(added[arm], whole)])
    return kept


def _columns(boxes: Any) -> Floats:
    return np.column_stack([boxes.image, boxes.category, boxes.box]).astype(np.float64)


def windows_on(labels: Truth, seed: int) -> tuple[Rows, Floats]:
    """Three windows about each labelled cell that overlap it by half, and their cells."""
    rng = np.random.default_rng([seed, 1])
    row = np.repeat(np.arange(len(labels)), 3)
    box = labels.box[row]
    side = np.sqrt(box[:, 2] * box[:, 3]) * np.exp(rng.normal(0, 0.1, len(row)))
    centre = box[:, :2] + box[:, 2:] / 2 + rng.normal(0, 0.06, (len(row), 2)) * side[:, None]
    window = np.concatenate([centre - side[:, None] / 2, np.stack([side, side], axis=1)], axis=1)
    near = overlap(window, box) > 0.5
    rows = (labels.image[row][near], labels.category[row][near] + 1, window[near])
    return rows, windows.move_of(window[near], box[near])


def empty_windows(scenes: Sequence[Scene], labels: Truth, each: int, seed: int) -> Rows:
    """So many random windows of each picture that overlap no labelled cell by 0.3."""
    rng, places = np.random.default_rng([seed, 2]), all_windows(*SIZE)
    picked = []
    for image in range(len(scenes)):
        there = labels.box[labels.image == image]
        some = places[rng.permutation(len(places))[: 40 * each]]
        shares = [overlap(some, np.broadcast_to(one, some.shape)) for one in there]
        picked.append(some[np.max(shares, axis=0, initial=0) < 0.3][:each])
    image = np.repeat(np.arange(len(scenes)), [len(one) for one in picked])
    return image, np.zeros(len(image), np.int64), np.concatenate(picked)


def as_background(rows: Rows) -> tuple[Rows, Floats]:
    return (rows[0], np.zeros(len(rows[0]), np.int64), rows[2]), np.zeros((len(rows[0]), 4))


def _some(rows: Rows, count: int, seed: int) -> Rows:
    which = np.random.default_rng([seed, 3]).permutation(len(rows[0]))[:count]
    return rows[0][which], rows[1][which], rows[2][which]


def trained(scenes: Sequence[Scene], parts: Sequence[tuple[Rows, Floats]], categories: int, seed: int) -> Detector:
    image, kind, window = (np.concatenate(one) for one in zip(*(rows for rows, _ in parts), strict=True))
    moves = np.concatenate([one for _, one in parts])
    order = np.argsort(image, kind="stable")
    looks = [features(scenes[one], window[order[image[order] == one]]) for one in np.unique(image)]
    return fitted(np.concatenate(looks), kind[order], moves[order], categories, seed)


def _over(scenes: Sequence[Scene], detectors: Mapping[str, Detector]) -> dict[str, Detections]:
    """What each detector finds; the features of a picture are made once."""
    places, parts = all_windows(*SIZE), {name: [] for name in detectors}  # type: dict[str, list[Any]]
    for image, scene in enumerate(scenes):
        looks = features(scene, places)
        for name, one in detectors.items():
            category, box, score = one.found(places, looks)
            parts[name].append((np.full(len(category), image), category, box, score))
    return {name: Detections(*map(np.concatenate, zip(*some, strict=True))) for name, some in parts.items()}


def _mined(data: Cells, train: Sequence[int], labels: Truth, found: Detections, work: Path) -> Rows:
    """What a mining with the defaults samples: picture, category it was taken for, box."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = [{"id": row, "file_name": data.files[one].name, "width": SIZE[0], "height": SIZE[1]}
                  for row, one in enumerate(train)]  # fmt: skip
        kinds = [{"id": row, "name": one} for row, one in enumerate(data.names)]
        there = [{"id": row, **one, "iscrowd": 0} for row, one in enumerate(records(labels))]
        scores = found.score.tolist()
        results = [{**one, "score": score} for one, score in zip(records(found), scores, strict=True)]
        truth = {"images": images, "categories": kinds, "annotations": there}
        for file, content in (("truth.json", truth), ("found.json", results)):
            (folder / file).write_text(json.dumps(content))
        options = ReadOptions(predictions=folder / "found.json", media_root=data.files[0].parent)
        recipe = Recipe(folder / "truth.json", read=options)
        settings = Settings(embeddings=EmbeddingCache(work / "vectors"))
        run = recipe.mine(recipe.read_data(), folder / "run", settings)
        picked = run.items.table.take(run.items.positions(run.negatives.column("item")))
        taken = [data.names.index(one) for one in run.negatives.column("anchor").to_pylist()]
        return (
            np.array(picked.column("image_id").to_pylist(), np.int64),
            np.array(taken, np.int64),
            np.array(picked.column("box").to_pylist(), np.float64).reshape(-1, 4),
        )


def _surest(labels: Truth, found: Detections, counts: NDArray[np.int64]) -> Rows:
    """Of each category so many of the surest detections that found nothing, whatever they are."""
    wrong = mistakes(labels, found, matched(labels, found)).kind != Kind.CORRECT
    picked = []
    for category, count in enumerate(counts.tolist()):
        rows = np.flatnonzero(wrong & (found.category == category))
        picked.append(rows[np.argsort(-found.score[rows], kind="stable")][:count])
    rows = np.concatenate(picked)
    return found.image[rows], found.category[rows], found.box[rows]


def _cells_in(added: Rows, whole: Truth) -> int:
    """How many of the added windows lie on a cell, by all labels, with an overlap of at least 0.5."""
    image, _, box = added
    hits = 0
    for one, window in zip(image.tolist(), box, strict=True):
        there = whole.box[whole.image == one]
        hits += bool(len(there)) and bool((overlap(np.broadcast_to(window, there.shape), there) >= 0.5).any())
    return hits


def main() -> None:
    """Measure draw by draw, keep each, and print the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where pictures, vectors and results are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--page", action="store_true", help="measure nothing, print what is kept")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    work: Path = options.work / "second_round"
    if not options.page:
        run(work, options.seeds)
    text = rounds_page.page(work)
    print(text)
    if options.write and text:
        machine.write_section("second-round", f"{text}\n\n{machine.described(PACKAGES)}")


def run(work: Path, seeds: int) -> None:
    """Measure all draws that are not there yet, and keep each."""
    work.mkdir(parents=True, exist_ok=True)
    data = cells(work)
    for seed in range(seeds):
        for name, gone in rounds_page.VARIANTS.items():
            file = work / f"{name.replace(' ', '_')}-{seed}.npz"
            if not file.is_file():
                kept = one_draw(data, gone, seed, work)
                np.savez_compressed(file, **kept)
                print(name, seed, {arm: kept[f"added {arm}"].tolist() for arm in ARMS}, flush=True)


if __name__ == "__main__":
    main()
