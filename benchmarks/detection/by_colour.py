"""A detector of blood cells by colour and shape, with OpenCV: nothing is learnt, and it is quick."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.detect import Detections

__all__ = ["cells_in", "read_results"]


def cells_in(pictures: list[Any]) -> list[dict[str, Any]]:
    """Purple blobs are white cells and platelets, round and dark ones red cells."""
    import cv2

    out = []
    for one in pictures:
        rgb = cv2.medianBlur(np.asarray(one), 5)
        hue = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        purple = ((hue[..., 0] > 115) & (hue[..., 0] < 165) & (hue[..., 1] > 90)).astype(np.uint8)
        boxes: list[list[float]] = []
        scores: list[float] = []
        labels: list[str] = []
        for x, y, w, h, area in cv2.connectedComponentsWithStats(purple)[2][1:].tolist():
            if area > 150:
                boxes.append([x, y, x + w, y + h])
                scores.append(min(1.0, area / (w * h)))
                labels.append("WBC" if area > 3000 else "Platelets")
        dark = cv2.threshold(rgb[..., 1], 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
        depth = cv2.distanceTransform(cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), cv2.DIST_L2, 5)
        peaks = ((depth == cv2.dilate(depth, np.ones((31, 31)))) & (depth > 14)).astype(np.uint8)
        for x, y in cv2.connectedComponentsWithStats(peaks)[3][1:].tolist():
            radius = float(depth[int(y), int(x)]) * 1.15
            boxes.append([x - radius, y - radius, x + radius, y + radius])
            scores.append(min(1.0, radius / 70))
            labels.append("RBC")
        out.append({"boxes": boxes, "scores": scores, "labels": labels})
    return out


def read_results(file: Path, images: Sequence[str], names: Sequence[str]) -> Detections:
    """Results of ``hardneg detect`` without ground truth: numbers are places among these images and categories."""
    rows, place = json.loads(file.read_text()), {name: row for row, name in enumerate(images)}
    return Detections(
        np.array([place[one["image_id"]] for one in rows]),
        np.array([list(names).index(one["category_name"]) for one in rows]),
        np.array([one["bbox"] for one in rows]),
        np.array([one["score"] for one in rows]),
    )
