"""How often intervals over images hold the truth: of a detector's figures, and of the difference of two.

    python -m benchmarks.detection.coverage [--sets 100] [--draws 200] [--write]

Data sets are made: 20 categories, the most frequent in most images and the rarest in one of 25. One detector has twice
the false positives of the other.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import described, table, write_section
from hardneg.detect import MEASURES, Detections, Evaluation, Truth, evaluate, mean_of, spread

CATEGORIES, IMAGES, MANY = 20, 100, 6000
RATES = 0.8 / np.arange(1, CATEGORIES + 1)  # boxes of each category an image
SIDE = 20.0

TEXT = """## How often intervals over images hold

{sets} made-up data sets of {images} images (20 categories, the rarest in one image of 25; two detectors, one with twice
the false positives), {draws} draws each. *Expected* is the mean figure of data sets of this size, *of all* that of
{many:,} images. A 95% interval should hold it in 95% of the sets. The mean AP of few images lies above that of many,
since AP takes at each recall the highest precision from there on, which flatters where finds are few; drawing images
does not repair that. So an interval tells how a figure varies over data sets of this size, and a difference of two
detectors is the safer thing to read."""


def world(rng: np.random.Generator, images: int) -> tuple[Evaluation, Evaluation]:
    """A data set, and both detectors judged on it: the same right finds, half or all of the false positives."""
    truth, found, wrong = [], [], []
    for category, rate in enumerate(RATES):
        image = np.repeat(np.arange(images), rng.poisson(rate, images))
        place = np.arange(len(image)) * 100.0
        box = np.stack([place % 1000, place, np.full_like(place, SIDE), np.full_like(place, SIDE)], axis=1)
        truth.append((image, np.full(len(image), category), box))
        hit = rng.random(len(image)) < 0.7
        moved = box[hit] + np.array([1.0, 0, 0, 0]) * rng.integers(0, 8, int(hit.sum()))[:, None]
        found.append((image[hit], np.full(int(hit.sum()), category), moved, rng.beta(4, 2, int(hit.sum()))))
        many = int(rng.poisson(images * rate))
        away = np.stack([np.full(many, 5000.0), np.arange(many) * 50.0, np.full(many, SIDE), np.full(many, SIDE)], 1)
        wrong.append((rng.integers(0, images, many), np.full(many, category), away, rng.beta(2, 4, many)))
    there = Truth(*_together(truth))
    half = [tuple(column[::2] for column in one) for one in wrong]
    first, second = (
        evaluate(there, Detections(*_together([*found, *more])), images=images, categories=CATEGORIES)
        for more in (half, wrong)
    )
    return first, second


def _together(parts: list[tuple[NDArray[np.generic], ...]]) -> list[NDArray[np.generic]]:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _means(rng: np.random.Generator, images: int) -> NDArray[np.float64]:
    """The figures of the first detector, and their differences to the second's."""
    first, second = (mean_of(one.figures()) for one in world(rng, images))
    return np.concatenate([first, first - second])


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    many = _means(np.random.default_rng(10**6), MANY)
    expected = np.mean([_means(np.random.default_rng(10**5 + one), IMAGES) for one in range(2 * given.sets)], axis=0)
    held = np.zeros((2, 2 * len(MEASURES)))
    for one in range(given.sets):
        judged = world(np.random.default_rng(one), IMAGES)
        first, second = (spread(detector, draws=given.draws, seed=one) for detector in judged)
        intervals = [what.interval(at) for what in (first, first.less(second)) for at in range(len(MEASURES))]
        for column, interval in enumerate(intervals):
            held[0, column] += interval.low <= expected[column] <= interval.high
            held[1, column] += interval.low <= many[column] <= interval.high
    share = held / given.sets
    names = [*MEASURES, *(f"difference of {one}" for one in MEASURES)]
    rows = [
        [name, f"{expected[at]:.3f}", f"{share[0, at]:.0%}", f"{many[at]:.3f}", f"{share[1, at]:.0%}"]
        for at, name in enumerate(names)
    ]
    text = TEXT.format(sets=given.sets, images=IMAGES, draws=given.draws, many=MANY)
    text += (
        f"\n\n{table(('', 'expected', 'held', 'of all', 'held'), rows)}\n\n{described(('hardneg', 'hotcoco', 'numpy'))}"
    )
    print(text)
    if given.write:
        write_section("detection-coverage", text)


if __name__ == "__main__":
    main()
