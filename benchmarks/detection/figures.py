"""A detector's figures: average precision beside pycocotools, miss rates, and what both take.

python -m benchmarks.detection.figures [--draws 1000] [--write]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import described, table, write_section
from benchmarks.texts import data_folder
from hardneg.detect import MEASURES
from hardneg.evaluation import Verdict, judge
from hardneg.io.found import read_scenes
from hardneg.io.readers import ReadOptions

DATA = (
    ("det_map85_gt_dt", "detections_nanodet.json", "rooms, NanoDet"),
    ("det_map85_gt_dt", "detections.json", "rooms, another detector"),
    ("det_coco100_gt_dt", "detections_fakebbox100.json", "COCO's example, perturbed labels"),
)
HEAD = ("", "images", "boxes", "finds", *MEASURES, "AP, AP50 by pycocotools", "largest difference")

TEXT = """## A detector's figures

`hardneg evaluate`: means over the categories of which a box counts, with 95% intervals from {draws:,} draws of images.
AP is counted by hotcoco from hardneg's own matching; *largest difference* is that of any category's AP, AP50 or AP75
to pycocotools'. With 85 and 100 images one false positive is about 0.01 per image, so the log-average miss rate (LAMR,
lower is better) leans on the few surest finds. Categories that a detector does not know count with an AP of 0 and a
miss rate of 1, which is why both detectors look bad in the rooms: NanoDet's AP50 of chairs is 0.53, of sofas 0.72."""


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    rows, seconds = [], 0.0
    for folder, results, name in DATA:
        place = data_folder() / folder
        scenes = read_scenes(place / "annotations.json", [place / results], options=ReadOptions())
        began = time.process_time()
        (verdict,) = judge(scenes, [name], draws=given.draws).detectors
        seconds += time.process_time() - began
        theirs = pycocotools(place, results)
        ours = verdict.evaluation.figures()[:, :3]
        known = ~np.isnan(ours[:, 0])
        means = theirs[known].mean(axis=0)
        rows.append(
            [
                name, f"{len(scenes.images)}", f"{int((~scenes.truth.uncounted).sum()):,}", f"{len(scenes.found[0]):,}",
                *(_told(verdict, at) for at in range(len(MEASURES))),
                f"{means[0]:.3f}, {means[1]:.3f}", f"{np.abs(ours[known] - theirs[known]).max():.0e}",
            ]
        )  # fmt: skip
    text = f"{TEXT.format(draws=given.draws)}\n\n{table(HEAD, rows)}\n\nAll three with their draws: {seconds:.0f} s."
    text += f"\n\n{described(('hardneg', 'hotcoco', 'numpy', 'pycocotools'))}"
    print(text)
    if given.write:
        write_section("detection-figures", text)


def _told(verdict: Verdict, at: int) -> str:
    assert verdict.spread is not None
    one = verdict.spread.interval(at)
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def pycocotools(place: Path, results: str) -> NDArray[np.float64]:
    """AP, AP50 and AP75 of each category in the order of the file, NaN where no box counts."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        there = COCO(str(place / "annotations.json"))
        judge_ = COCOeval(there, there.loadRes(str(place / results)), "bbox")
        judge_.evaluate()
        judge_.accumulate()
    precision = judge_.eval["precision"][:, :, :, 0, -1]
    by_overlap = np.where(precision < 0, np.nan, precision).mean(axis=1)
    by_id = {key: by_overlap[:, row] for row, key in enumerate(judge_.params.catIds)}
    rows = [by_id[one["id"]] for one in there.dataset["categories"]]
    return np.array([[row.mean(), row[0], row[5]] for row in rows])


if __name__ == "__main__":
    main()
