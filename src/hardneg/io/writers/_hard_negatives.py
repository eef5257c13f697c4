"""``hard_negatives.csv``: the mined boxes for formats that have no place for them. Training needs only their images."""

from __future__ import annotations

import pyarrow as pa

from hardneg.io.writers._export import Export
from hardneg.io.writers._flat import write_flat
from hardneg.io.writers._mined_boxes import Scenes

__all__ = ["write_hard_negatives"]

_BOX = ("left", "top", "width", "height")


def write_hard_negatives(export: Export, found: Scenes, files: dict[int, str]) -> None:
    """Write one row for each mined box in an image that was written: ``files`` has their names by row of the image.

    Columns: ``file``, ``taken_for``, ``left``, ``top``, ``width``, ``height``, ``score``, ``reason``, ``item``.
    """
    rows = [(files[row], one) for row, some in found.negatives.items() if row in files for one in some]
    columns = {
        "file": pa.array([file for file, _ in rows], pa.string()),
        "taken_for": pa.array([found.truth.categories[one.category].name for _, one in rows], pa.string()),
        **{name: pa.array([one.box[at] for _, one in rows], pa.float64()) for at, name in enumerate(_BOX)},
        "score": pa.array([one.score for _, one in rows], pa.float64()),
        "reason": pa.array([one.reason for _, one in rows], pa.string()),
        "item": pa.array([one.item for _, one in rows], pa.string()),
    }
    write_flat(export.target / "hard_negatives.csv", pa.table(columns))
