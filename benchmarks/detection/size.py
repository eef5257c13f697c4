"""Reading and judging many detections: seconds and memory, and pycocotools beside it.

    python -m benchmarks.detection.size --detections 10000000 --images 100000 [--compare 1000000] [--write]

Files are made in a folder that is removed; each measurement has a process of its own. Detections of pictures like
COCO's: 7 boxes a picture in 80 categories, a third of what is found is near one, most scores are low. ``--compare``
holds pycocotools' matching against ours on the first so many detections.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.detection.data import records
from benchmarks.sides import memory
from hardneg.detect import Detections, Truth, matched, mistakes
from hardneg.io.readers import ReadOptions, read
from hardneg.mining import Settings
from hardneg.recipe import Recipe

SIDE, CATEGORIES, BOXES, TOGETHER = 640, 80, 7, 1000

Facts = dict[str, Any]


def made(each: int, images: int, seed: int = 0) -> Iterator[tuple[Truth, Detections]]:
    """What is there and what was found, ``TOGETHER`` images at a time, numbered on."""
    for start in range(0, images, TOGETHER):
        rng = np.random.default_rng([seed, start])
        count = min(TOGETHER, images - start)
        there = Truth(
            np.repeat(np.arange(count), BOXES), rng.integers(0, CATEGORIES, count * BOXES), _boxes(rng, count * BOXES)
        )
        image = np.repeat(np.arange(count), each)
        category, box = rng.integers(0, CATEGORIES, len(image)), _boxes(rng, len(image))
        near = np.flatnonzero(rng.random(len(image)) < 1 / 3)
        of = image[near] * BOXES + rng.integers(0, BOXES, len(near))
        box[near] = np.abs(there.box[of] + rng.normal(0, 6, (len(near), 4))).round(2) + 0.01
        right = rng.random(len(near)) < 0.8
        category[near[right]] = there.category[of[right]]
        score = rng.beta(0.5, 3, len(image)).round(5)
        yield (
            Truth(there.image + start, there.category, there.box),
            Detections(image + start, category, box, score),
        )


def _boxes(rng: np.random.Generator, count: int) -> Any:
    return np.concatenate([rng.uniform(0, 500, (count, 2)), rng.uniform(10, 140, (count, 2))], axis=1).round(2)


def write(each: int, images: int, folder: Path) -> None:
    """Both as COCO files."""
    pictures = [{"id": row, "file_name": f"{row:012d}.jpg", "width": SIDE, "height": SIDE} for row in range(images)]
    kinds = [{"id": row, "name": f"kind {row}"} for row in range(CATEGORIES)]
    with (folder / "truth.json").open("w") as truth, (folder / "found.json").open("w") as found:
        truth.write(f'{{"images": {json.dumps(pictures)}, "categories": {json.dumps(kinds)}, "annotations": [')
        found.write("[")
        for part, (there, seen) in enumerate(made(each, images)):
            first = part * TOGETHER * BOXES + 1
            labels = [json.dumps(one | {"id": first + row, "iscrowd": 0}) for row, one in enumerate(records(there))]
            scores = seen.score.tolist()
            results = [json.dumps(one | {"score": score}) for one, score in zip(records(seen), scores, strict=True)]
            truth.write(("," if part else "") + ",".join(labels))
            found.write(("," if part else "") + ",".join(results))
        truth.write("]}")
        found.write("]")


def reading(folder: Path, _: int, __: int) -> Facts:
    """Read, match, name the mistakes and make items."""
    found = read(folder / "truth.json", options=ReadOptions(predictions=folder / "found.json"))
    return {"items": len(found.positives.items), **{name: int(count) for name, count in found.counts.items()}}


def mining(folder: Path, _: int, __: int) -> Facts:
    """The same, and mine with the defaults, without pictures."""
    recipe = Recipe(folder / "truth.json", read=ReadOptions(predictions=folder / "found.json"))
    run = recipe.mine(recipe.read_data(), folder / "run", Settings())
    return {name: run.ledger[name] for name in ("candidates", "sampled")}


def ours(_: Path, each: int, images: int) -> Facts:
    """Match and name the mistakes of detections in memory."""
    parts = list(made(each, images))
    began, hits = time.process_time(), 0
    for there, found in parts:
        matches = matched(there, found)
        hits += int((matches.truth >= 0).sum())
    matching = time.process_time() - began
    for there, found in parts:
        mistakes(there, found, matched(there, found))
    return {"hits": hits, "matching": matching, "naming": time.process_time() - began - 2 * matching}


def pycocotools(folder: Path, _: int, __: int) -> Facts:
    """``COCOeval.evaluate`` at one threshold, all sizes."""
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
    return {"hits": hits, "matching": time.process_time() - began}


SIDES: dict[str, Callable[[Path, int, int], Facts]] = {
    "reading": reading, "mining": mining, "ours": ours, "pycocotools": pycocotools,
}  # fmt: skip


def alone(side: str, folder: Path, each: int, images: int) -> Facts:
    """Measure in a process of its own: seconds of the processor, and the most memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.detection.size", "--side", side, "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--each", str(each), "--images", str(images)], check=True, capture_output=True, text=True
    )
    facts: Facts = json.loads(done.stdout.splitlines()[-1])
    print(side, facts, flush=True)
    return facts


def main() -> None:
    """Measure, and print a row for each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detections", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--images", type=int, default=10_000, help="of the largest; the smaller have fewer")
    parser.add_argument("--compare", type=int, help="hold pycocotools against ours on so many detections")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--each", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        before, began = memory("VmHWM"), time.process_time()
        facts = SIDES[given.side](given.folder, given.each, given.images)
        print(json.dumps({"seconds": time.process_time() - began, "before": before, "peak": memory("VmHWM")} | facts))
        return
    text = measured(given.detections, given.images, given.compare)
    print(text)
    if given.write:
        machine.write_section("detection-size", f"{text}\n\n{machine.described(PACKAGES)}")


PACKAGES = ("hardneg", "numpy", "pyarrow", "ijson", "pycocotools")
HEAD = ("detections", "images", "what", "CPU s", "peak MiB", "items or negatives")


def measured(sizes: list[int], images: int, compare: int | None) -> str:
    """The section of the page."""
    rows, each = [], max(sizes) // images
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder, pictures = Path(name), size // each
            write(each, pictures, folder)
            for side, what in (("reading", "read, match, name, make items"), ("mining", "the same, and mine")):
                facts = alone(side, folder, each, pictures)
                made_of = facts.get("items", facts.get("sampled", 0))
                rows.append([f"{size:,}", f"{pictures:,}", what, f"{facts['seconds']:.0f}", f"{facts['peak']:,.0f}",
                             f"{made_of:,}"])  # fmt: skip
    text = f"{TEXT}\n\n{machine.table(HEAD, rows)}"
    if compare is None:
        return text
    with tempfile.TemporaryDirectory() as name:
        write(each, compare // each, Path(name))
        theirs, mine = (alone(side, Path(name), each, compare // each) for side in ("pycocotools", "ours"))
    return f"{text}\n\n" + (
        f"Matching alone, {compare:,} detections: pycocotools {theirs['matching']:.1f} s, hardneg "
        f"{mine['matching']:.1f} s ({mine['matching'] / theirs['matching']:.2f} of it), and {mine['naming']:.1f} s "
        f"more to name the mistakes. Boxes found: {theirs['hits']:,} and {mine['hits']:,}."
    )


TEXT = """## Many detections: time and memory

`python -m benchmarks.detection.size`: COCO files of made-up detections like those of real pictures (7 boxes a picture
in 80 categories, 100 detections a picture, a third of them near a box). Results are judged 1,024 images at a time from
a file on disk, and of each category the 10,000 surest mistakes become items, so what memory grows with is the labelled
boxes and the images, not the detections. No pictures are looked at. Seconds are the processor's; the peak is that of
the whole process."""


if __name__ == "__main__":
    main()
