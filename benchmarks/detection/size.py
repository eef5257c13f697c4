"""Reading and judging many detections: seconds, memory, and pycocotools beside it.

    python -m benchmarks.detection.size --detections 1000000 --images 10000

Files are made in a folder that is removed. Of each step the processor's seconds and the most memory so far are shown.
Detections of pictures like COCO's: 7 boxes a picture in 80 categories, a third of what is found is near one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import described
from benchmarks.sides import memory
from hardneg.detect import Detections, Truth, matched, mistakes
from hardneg.io.readers import ReadOptions, read

SIDE, CATEGORIES, BOXES, WRITTEN = 640, 80, 7, 100_000


def made(detections: int, images: int, seed: int = 0) -> tuple[Truth, Detections]:
    """What is there, and what was found, image by image."""
    rng = np.random.default_rng(seed)
    there = Truth(
        np.repeat(np.arange(images), BOXES), rng.integers(0, CATEGORIES, images * BOXES), _boxes(rng, images * BOXES)
    )
    image = np.arange(detections) * images // detections
    category, box = rng.integers(0, CATEGORIES, detections), _boxes(rng, detections)
    near = np.flatnonzero(rng.random(detections) < 1 / 3)
    of = image[near] * BOXES + rng.integers(0, BOXES, len(near))
    box[near] = np.abs(there.box[of] + rng.normal(0, 6, (len(near), 4))).round(2) + 0.01
    right = rng.random(len(near)) < 0.8
    category[near[right]] = there.category[of[right]]
    return there, Detections(image, category, box, rng.beta(0.5, 3, detections).round(5))


def _boxes(rng: np.random.Generator, count: int) -> Any:
    return np.concatenate([rng.uniform(0, 500, (count, 2)), rng.uniform(10, 140, (count, 2))], axis=1).round(2)


def write(there: Truth, found: Detections, images: int, folder: Path) -> None:
    """Both as COCO files."""
    data = {
        "images": [{"id": row, "file_name": f"{row:012d}.jpg", "width": SIDE, "height": SIDE} for row in range(images)],
        "categories": [{"id": row, "name": f"kind {row}"} for row in range(CATEGORIES)],
        "annotations": [one | {"id": row + 1, "iscrowd": 0} for row, one in enumerate(_rows(there, 0, len(there)))],
    }
    (folder / "truth.json").write_text(json.dumps(data))
    with (folder / "found.json").open("w") as file:
        for start in range(0, len(found), WRITTEN):
            rows = _rows(found, start, start + WRITTEN)
            scores = found.score[start : start + WRITTEN].tolist()
            text = ",".join(json.dumps(one | {"score": score}) for one, score in zip(rows, scores, strict=True))
            file.write(("," if start else "[") + text)
        file.write("]")


def _rows(boxes: Any, start: int, stop: int) -> list[dict[str, Any]]:
    columns = (one[start:stop].tolist() for one in (boxes.image, boxes.category, boxes.box))
    return [dict(zip(("image_id", "category_id", "bbox"), one, strict=True)) for one in zip(*columns, strict=True)]


def pycocotools(folder: Path) -> tuple[float, int]:
    """Seconds that ``COCOeval.evaluate`` takes at one threshold, all sizes; and how many boxes are found."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        there = COCO(str(folder / "truth.json"))
        for one in there.dataset["annotations"]:
            one["area"] = one["bbox"][2] * one["bbox"][3]
        judge = COCOeval(there, there.loadRes(str(folder / "found.json")), "bbox")
        judge.params.iouThrs, judge.params.areaRng, judge.params.maxDets = np.array([0.5]), [[0, 1e10]], [100]
        began = time.process_time()
        judge.evaluate()
    hits = sum(int((part["dtMatches"] > 0).sum()) for part in judge.evalImgs if part is not None)
    return time.process_time() - began, hits


def main() -> None:
    """Measure, and print a row for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detections", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--least-score", type=float, default=0.0)
    parser.add_argument("--pycocotools", action="store_true", help="beside it; needs much memory")
    given = parser.parse_args()
    print(f"| step | seconds | MiB |\n| --- | ---: | ---: |\n| before | | {memory('VmHWM'):,.0f} |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        there, found = made(given.detections, given.images)
        write(there, found, given.images, folder)
        matches = _step("match", lambda: matched(there, found))
        _step("name the mistakes", lambda: mistakes(there, found, matches))
        options = ReadOptions(predictions=folder / "found.json", least_score=given.least_score)
        reading = _step("read, match, name and make items", lambda: read(folder / "truth.json", options=options))
        print(f"\n{len(found):,} detections in {given.images:,} images; {len(reading.positives.items):,} items.")
        if given.pycocotools:
            seconds, hits = pycocotools(folder)
            print(f"pycocotools: {seconds:.1f} s; boxes found: {hits:,}, here {int((matches.truth >= 0).sum()):,}.")
    print(described(["hardneg", "numpy", "ijson", "pycocotools"]))


def _step(name: str, work: Callable[[], Any]) -> Any:
    began = time.process_time()
    out = work()
    print(f"| {name} | {time.process_time() - began:.1f} | {memory('VmHWM'):,.0f} |", flush=True)
    return out


if __name__ == "__main__":
    main()
