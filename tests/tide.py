"""What TIDE says of a detector's finds."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

from hardneg.detect import Detections, Truth


def judged_by_tide(truth: Truth, found: Detections) -> Any:
    """TIDE's evaluation of boxes, without its printing; the test is skipped where TIDE is not there."""
    tide = pytest.importorskip("tidecv")
    there, seen = tide.Data("truth", 10_000), tide.Data("found", 10_000)
    for row in range(len(truth)):
        there.add_ground_truth(int(truth.image[row]), int(truth.category[row]), truth.box[row].tolist())
    for row in range(len(found)):
        place = int(found.image[row]), int(found.category[row]), float(found.score[row])
        seen.add_detection(*place, found.box[row].tolist())
    with contextlib.redirect_stdout(io.StringIO()):
        return tide.TIDE().evaluate(there, seen, mode=tide.TIDE.BOX)
