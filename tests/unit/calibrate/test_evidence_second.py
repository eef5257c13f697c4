"""What a second encoder says, worked out one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
from tests.worlds import scene

from hardneg.calibrate.evidence import FEATURES, Evidence
from hardneg.context import REFERENCES, Context, Vectors, reference_scores
from hardneg.table import Rows

SECOND = [row for row, name in enumerate(FEATURES) if name.startswith("second_")]


def _rows() -> tuple[Context, Vectors, Rows, np.ndarray]:
    """Every item of every anchor as a row, its positives as hidden ones; and other vectors of the same things."""
    positives, vectors = scene(4)
    anchor, item = (one.ravel() for one in np.indices((12, 60)))
    score = vectors.pairs(anchor, item)
    rank = (-score.reshape(12, -1)).argsort(axis=1).argsort(axis=1).ravel().astype(np.int32)
    references = reference_scores(positives.positive, vectors.pairs)
    of_anchor = {f"positive_{one}": references[one][anchor] for one in REFERENCES}
    rng = np.random.default_rng(1)
    second = Vectors(rng.normal(size=(12, 7)).astype(np.float32), rng.normal(size=(60, 7)).astype(np.float32))
    rows = Rows(anchor, item, {"score": score, "rank": rank, **of_anchor})
    return Context(positives, vectors), second, rows, positives.positive.contains(anchor, item)


def test_as_worked_out_one_by_one() -> None:
    context, second, rows, hidden = _rows()
    found = Evidence(context, second).without_naming().of(rows, hidden).figures[:, SECOND]
    left, right = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (second.anchors[:], second.items[:]))
    for row, (a, i) in enumerate(zip(rows.anchor.tolist(), rows.item.tolist(), strict=True)):
        near = [float(right[i] @ right[p]) for p in context.positives.positive[a].tolist() if p != i]
        expected = [float(left[a] @ right[i]), max(near, default=np.nan), np.mean(near) if near else np.nan]
        assert found[row] == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_nothing_is_said_without_one_and_the_rest_is_the_same() -> None:
    context, second, rows, hidden = _rows()
    alone, both = (Evidence(context, one).of(rows, hidden) for one in (None, second))
    assert np.isnan(alone.figures[:, SECOND]).all()
    assert np.isfinite(both.figures[:, SECOND[0]]).all()
    others = np.delete(np.arange(len(FEATURES)), SECOND)
    assert np.array_equal(alone.figures[:, others], both.figures[:, others], equal_nan=True)
    assert np.array_equal(alone.nearest, both.nearest)
