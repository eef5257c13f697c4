"""A mining of boxes with what is usual for them: one false alarm of a camera that stands still is mined once."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

import hardneg as hn
from hardneg.io.readers import ReadOptions
from hardneg.run import Run

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")
pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')

FRAMES, LAMP = 12, [100.0, 20.0, 30.0, 30.0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two cameras: a berry moves, and in the first a lamp hangs in every frame; leaves differ from frame to frame."""
    folder = tmp_path_factory.mktemp("film")
    (folder / "images").mkdir()
    draw = np.random.default_rng(0)
    images, there, found = [], [], []
    for number in range(2 * FRAMES):
        camera, frame = divmod(number, FRAMES)
        picture = Image.new("RGB", (160, 120), (200, 220, 200))
        x, y = (float(one) for one in draw.integers(5, 55, 2))
        ImageDraw.Draw(picture).rectangle((x, y, x + 29, y + 29), "red")
        boxes = [([x, y, 30.0, 30.0], 0.9)]
        if camera == 0:
            ImageDraw.Draw(picture).ellipse((100, 20, 129, 49), outline="red", width=4)
            boxes.append((LAMP, 0.6 + frame / 100))
        else:
            leaf = draw.integers(0, 255, (30, 30, 3)).astype(np.uint8)
            picture.paste(Image.fromarray(np.kron(leaf[::10, ::10], np.ones((10, 10, 1), np.uint8))), (100, 80))
            boxes.append(([100.0, 80.0, 30.0, 30.0], 0.4))
        name = f"camera{camera}_{frame:03d}.png"
        picture.save(folder / "images" / name)
        images.append({"id": number, "file_name": name, "width": 160, "height": 120, "video_id": f"camera{camera}"})
        there.append({"id": number, "image_id": number, "category_id": 1, "bbox": boxes[0][0], "iscrowd": 0})
        found += [{"image_id": number, "category_id": 1, "bbox": box, "score": score} for box, score in boxes]
    truth = {"images": images, "annotations": there, "categories": [{"id": 1, "name": "berry"}]}
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "found.json").write_text(json.dumps(found))
    options = ReadOptions(predictions=folder / "found.json", media_root=folder / "images")
    recipe = hn.Recipe(folder / "truth.json", read=options)
    return recipe.mine(recipe.read_data(), folder / "run", hn.Settings())


def test_what_repeats_is_mined_once_and_counted(run: Run) -> None:
    assert run.manifest["steps"]["filters"][1] == "duplicates(similarity=0.97, among=0.97)"
    assert run.ledger["reasons"]["duplicates.near_repeat"] == FRAMES - 1
    boxes = dict(zip(run.items.ids.to_pylist(), run.items.table.column("box").to_pylist(), strict=True))
    lamps = [one for one in run.candidates.table.to_pylist() if boxes[one["item"]] == LAMP]
    assert len(lamps) == FRAMES
    assert [one["rank"] for one in lamps if one["reason"] != "duplicates.near_repeat"] == [0]  # the surest stays


def test_films_can_have_a_ceiling(run: Run) -> None:
    loose = hn.refilter(run, filters=["known", "duplicates"], sampler=["top(n=20)"])
    few = hn.refilter(run, filters=["known", "duplicates"], sampler=["top(n=20)", "caps(per_group=3, group=sequence)"])
    film = dict(zip(run.items.ids.to_pylist(), run.items.table.column("sequence").to_pylist(), strict=True))

    def counts(of: Run) -> dict[str, int]:
        found = [film[one] for one in of.negatives.column("item").to_pylist()]
        return {name: found.count(name) for name in ("camera0", "camera1")}

    assert counts(loose)["camera0"] > 3
    assert counts(few) == {"camera0": 3, "camera1": 3}
