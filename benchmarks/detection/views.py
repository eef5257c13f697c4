"""Does it help to ask the detector again, about the picture mirrored and at other sizes?

    python -m benchmarks.detection.views --work DIR [--seeds 5] [--write]

BCCD's blood cells. A fifth of the labels of 60 pictures is deleted, a detector (:mod:`benchmarks.detection.windows`) is
trained on the rest, and ``hardneg.detecting`` runs it over the same pictures and their views. The filter
``missing_label`` then has, or has not, what the views say in the place of a second detector.
"""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import machine
from benchmarks.detection.data import DELETED, Photos, planted
from benchmarks.detection.measure import Arm, of_filters
from benchmarks.detection.pages import told
from benchmarks.detection.second_round import Cells, _background, _empty, _things, _trained, cells
from benchmarks.detection.windows import all_windows, features, seen
from hardneg.collection import Collection
from hardneg.detect import Detections, Truth
from hardneg.detecting import Detector, detect, views_of
from hardneg.encode import EmbeddingCache
from hardneg.mining import Settings

PICTURES, RANDOM, VIEWS, ENCODER = 60, 10, "flip,0.8,1.25", "descriptor"
ARMS = (Arm("missing_label", ("missing_label",)), Arm("missing_label, views", ("missing_label",), second=True))
PACKAGES = ("hardneg", "numpy", "scikit-learn", "torch")

TEXT = """## A detector asked again about other views of a picture

{pictures} pictures of blood cells (BCCD), a fifth of whose labels is deleted. A small detector of sliding windows is
trained on the rest and run over the same pictures, and over each mirrored, at 0.8 and at 1.25 times its size
(`hardneg detect --views {views}`). On average {missing:.0f} of the deleted labels come out as false positives on a
background, beside {negative:.0f} detections that are of a background by all labels. *Caught* is the share of the former
that `missing_label` does not let be trained on, *lost* that of the latter; crops by `{encoder}`. Means and 95%
intervals (Student) over {seeds} draws. Last row: what the views add, draw by draw."""


def one_draw(data: Cells, seed: int, work: Path) -> dict[str, Any]:
    """All arms with one division of the pictures and one draw of deleted labels."""
    train = np.random.default_rng(seed).permutation(len(data.files))[:PICTURES].tolist()
    whole = data.of(train, 0, seed)
    gone = np.random.default_rng(seed).random(len(whole)) < DELETED  # the draw of `planted`
    left = Truth(whole.image[~gone], whole.category[~gone], whole.box[~gone])
    scenes = [seen(data.files[one]) for one in train]
    empty = _background(_empty(scenes, left, RANDOM, seed))
    model = _trained(scenes, [_things(left, seed), empty], len(data.names), seed)

    def function(pictures: list[Any]) -> list[dict[str, Any]]:
        out = []
        for one in pictures:
            saved = io.BytesIO()
            one.save(saved, "png")
            places = all_windows(*one.size)
            category, box, score = model.found(places, features(seen(saved), places))  # type: ignore[arg-type]
            ends = np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1)
            out.append({"boxes": ends, "labels": [data.names[row] for row in category], "scores": score})
        return out

    folder = work / f"pictures-{seed}"
    folder.mkdir(exist_ok=True)
    for row, one in enumerate(train):
        (folder / f"{row:03d}.jpg").write_bytes(data.files[one].read_bytes())
    out = work / f"found-{seed}.json"
    detect(folder, Detector(call=function), out=out, views=views_of(VIEWS), overwrite=True)
    images = Collection(
        pa.table({"id": range(len(train)), "path": [f"{row:03d}.jpg" for row in range(len(train))]}), folder
    )
    first, second = (_read(file, data.names) for file in (out, out.with_name(f"found-{seed}.views.json")))
    photos = Photos(whole, first, second, images, tuple(data.names))
    settings = Settings(embeddings=EmbeddingCache(work / "vectors"))
    kept: dict[str, Any] = {"outcomes": []}
    for arm in ARMS:
        case = planted(photos, seed, second=arm.second, pictures=arm.pictures)
        kept |= {"missing": int(case.missing.sum()), "negative": int(case.negative.sum())}
        kept["outcomes"].append(asdict(of_filters(arm, case, settings, ENCODER)))
    return kept


def _read(file: Path, names: Any) -> Detections:
    rows = json.loads(file.read_text())
    image = np.array([int(Path(one["image_id"]).stem) for one in rows])
    category = np.array([list(names).index(one["category_name"]) for one in rows])
    return Detections(
        image, category, np.array([one["bbox"] for one in rows]), np.array([one["score"] for one in rows])
    )


def page(draws: list[dict[str, Any]]) -> str:
    """Text and table."""
    rows = []
    for row, arm in enumerate(ARMS):
        some = [one["outcomes"][row] for one in draws]
        rows.append([arm.name, *(told([one[name] for one in some]) for name in ("caught", "lost", "likely"))])
    names = ("caught", "lost", "likely")
    gains = [[one["outcomes"][1][name] - one["outcomes"][0][name] for one in draws] for name in names]
    rows.append(["difference", *map(told, gains)])
    sizes = {name: float(np.mean([one[name] for one in draws])) for name in ("missing", "negative")}
    text = TEXT.format(pictures=PICTURES, views=VIEWS, encoder=ENCODER, seeds=len(draws), **sizes)
    return f"{text}\n\n{machine.table(('', 'caught', 'lost', 'called likely, of missing'), rows)}"


def main() -> None:
    """Measure draw by draw, and keep each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where pictures, vectors and results are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    data, draws = cells(options.work), []
    for seed in range(options.seeds):
        file = options.work / f"views-{seed}.json"
        if not file.is_file():
            file.write_text(json.dumps(one_draw(data, seed, options.work), indent=1))
        draws.append(json.loads(file.read_text()))
        print(
            seed,
            [(one["arm"], round(one["caught"], 3), round(one["lost"], 3)) for one in draws[-1]["outcomes"]],
            flush=True,
        )
    text = page(draws)
    print(text)
    if options.write:
        machine.write_section("detection-views", f"{text}\n\n{machine.described(PACKAGES)}")


if __name__ == "__main__":
    main()
