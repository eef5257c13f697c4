"""A detector over pictures: named, checked, asked again about other views, stopped and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.detected import CAT, DOG, TRUTH, write_data
from tests.restarts import killed_until_done

from hardneg.detecting import Detector, View, detect, views_of
from hardneg.detecting.naming import Label, Naming
from hardneg.errors import InputError, OptionError, RunError
from hardneg.io.readers import ReadOptions, read

ROOT = Path(__file__).resolve().parents[3]
pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")


def blobs(pictures: Sequence[Any], labels: Sequence[Any] = ("cat", "dog")) -> list[dict[str, Any]]:
    """Finds whatever is all red or all blue, one box a colour."""
    out = []
    for one in pictures:
        pixels, boxes, said = np.asarray(one).astype(int), [], []
        for channel, label in zip((0, 2), labels, strict=True):
            rows, columns = np.nonzero((pixels[..., channel] > 200) & (pixels.sum(axis=2) < 300))
            if len(rows):
                boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                said.append(label)
        out.append({"boxes": boxes, "scores": [0.5] * len(boxes), "labels": said})
    return out


def numbered(*numbers: int) -> Any:
    return lambda pictures: blobs(pictures, numbers)


def _found(file: Path) -> list[dict[str, Any]]:
    return json.loads(file.read_text())  # type: ignore[no-any-return]


def _run(folder: Path, function: Any, *, truth: str | None = "truth.json", **options: Any) -> list[dict[str, Any]]:
    views = options.pop("views", ())
    detector = Detector(call=function, **options)
    place = None if truth is None else folder / truth
    detect(folder / "images", detector, out=folder / "out.json", truth=place, views=views, overwrite=True)
    return _found(folder / "out.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_data(tmp_path)
    return tmp_path


# --- what is found ----------------------------------------------------------------------------------------------------


def test_results_are_those_of_the_data_and_can_be_mined(folder: Path) -> None:
    found = _run(folder, blobs)
    assert [(one["image_id"], one["category_id"], one["category_name"]) for one in found] == [
        (1, CAT, "cat"), (1, DOG, "dog"), (2, CAT, "cat"), (3, CAT, "cat"), (5, CAT, "cat"),
    ]  # fmt: skip
    assert found[0]["bbox"] == [10, 10, 40, 40]
    options = ReadOptions(predictions=folder / "out.json", media_root=folder / "images")
    counts = read(folder / "truth.json", options=options).counts
    assert (counts["detections_correct"], counts["detections_background"]) == (3, 1)
    (folder / "bare.json").write_text(json.dumps(TRUTH | {"annotations": []}))  # some of these have no id
    coco = pytest.importorskip("pycocotools.coco").COCO(str(folder / "bare.json"))
    assert len(coco.loadRes(str(folder / "out.json")).anns) == 5


def test_without_ground_truth_images_are_paths(folder: Path) -> None:
    found = _run(folder, blobs, truth=None)
    assert {(one["image_id"], one["category_name"]) for one in found} == {
        ("a.png", "cat"), ("a.png", "dog"), ("night/b.png", "cat"), ("day/b.png", "cat"), ("d.png", "cat"),
    }  # fmt: skip
    options = ReadOptions(predictions=folder / "out.json", media_root=folder / "images")
    assert read(folder / "truth.json", options=options).counts["detections_correct"] == 3
    assert [one["category_id"] for one in _run(folder, numbered(7, 9), truth=None)] == [7, 9, 7, 7, 7]


def test_what_cannot_be_used_is_counted(folder: Path) -> None:
    (folder / "images" / "c.png").write_bytes(b"\x89PNG cut short")
    (folder / "images" / "e.png").unlink()
    boxes = [[0, 0, 9, 9], [0, 0, np.nan, 9], [9, 9, 0, 0], [5, 5, 5, 9], [500, 5, 600, 9], [-5, 0, 9, 9], [0, 0, 9, 8]]
    wrong = {"boxes": boxes, "scores": [0.5] * 6 + [np.nan], "labels": ["cat"] * 6 + ["dog"]}
    strange = {"boxes": [[0, 0, 9, 9]], "scores": [0.5], "labels": ["cow"]}
    detector = Detector(call=lambda pictures: [wrong, strange, *[[]] * (len(pictures) - 2)])
    summary = detect(folder / "images", detector, out=folder / "o.json", truth=folder / "truth.json")
    left = {one["reason"]: one["count"] for one in summary["left_out"]}
    assert left == {"image_without_a_picture": 1, "truncated_image": 1}
    lost = {one["reason"]: one["count"] for one in summary["detections_left_out"]}
    assert lost == {
        "no_box": 1, "negative_side": 1, "no_area": 1, "outside_the_image": 1, "no_score": 1, "unknown_category": 1,
    }  # fmt: skip
    assert summary["noted"][0]["reason"] == "partly_outside_the_image"
    assert summary["detections"] == len(_found(folder / "o.json")) == 2
    assert (summary["pictures"], summary["looked_at"], summary["pictures_without_any"]) == (6, 4, 3)
    assert json.loads((folder / "o.summary.json").read_text()) == summary


def test_nothing_found_is_an_empty_list(folder: Path) -> None:
    assert _run(folder, lambda pictures: [[] for _ in pictures]) == []


def test_pictures_arrive_upright_in_rgb_and_in_batches(folder: Path) -> None:
    shape: list[Any] = []
    turned = Image.new("L", (30, 20))
    turned.getexif()[0x0112] = 6
    turned.save(folder / "images" / "a.png", exif=turned.getexif())

    def seen(pictures: Sequence[Any]) -> list[Any]:
        shape.append([(one.mode, one.size) for one in pictures])
        return [[] for _ in pictures]

    _run(folder, seen, batch_size=4)
    assert [len(one) for one in shape] == [4, 2]
    assert shape[0][0] == ("RGB", (20, 30))


# --- what labels stand for --------------------------------------------------------------------------------------------


def test_numbers_are_ids_or_places_or_named(folder: Path) -> None:
    def categories(*numbers: int, **options: Any) -> list[int]:
        return [one["category_id"] for one in _run(folder, numbered(*numbers), **options)[:2]]

    assert categories(CAT, DOG) == [CAT, DOG]
    assert categories(0, 1, labels="from-0") == [CAT, DOG]
    assert categories(1, 2, labels="from-1") == [CAT, DOG]
    assert categories(5, 4, names=((5, "cat"), (4, "dog"))) == [CAT, DOG]
    with pytest.raises(InputError, match=r"Not one label .* It says 0, 1; there are cat, dog\. Say what its numbers"):
        categories(0, 1)
    assert (folder / "out.json.partial").exists()  # what was detected is kept for another reading
    detect(
        folder / "images", Detector(call=numbered(0, 1), labels="from-0"), out=folder / "out.json",
        truth=folder / "truth.json", overwrite=True,
    )  # fmt: skip
    assert not (folder / "out.json.partial").exists()
    with pytest.raises(OptionError, match="'labels' must be one of told, ids, from-0, from-1"):
        Detector(call=blobs, labels="from-2")  # type: ignore[arg-type]


def test_what_a_form_tells() -> None:
    names, coco = ("3", "8"), Naming(("3", "8"), True)
    voc, free = Naming(("cat", "dog"), False), Naming(None, False)
    assert coco.of(Label("dict", 3, None)) == 3
    assert coco.of(Label("array", 1, None)) == names[1]
    assert voc.of(Label("dict", 1, None)) == "cat"
    assert voc.of(Label("dict", 0, None)) == "label 0"  # the background of torchvision
    assert voc.of(Label("supervision", 1, None)) == "dog"
    assert voc.of(Label("ultralytics", 1, "1")) == "dog"  # a model without names of its own
    assert free.of(Label("array", 4, None)) == 4
    assert free.of(Label("array", 4, "fox")) == "fox"
    assert Naming(("cat", "dog"), False, "from-1").of(Label("ultralytics", 2, "hound")) == "dog"
    assert Naming(("cat", "dog"), False, names={2: "cat"}).of(Label("ultralytics", 2, "hound")) == "cat"
    assert Naming(("cat",), False).of(Label("dict", None, None)) == "cat"
    for many in (voc, free):
        with pytest.raises(InputError, match="says nothing of labels"):
            many.of(Label("dict", None, None))


def test_another_reading_that_fits_better_is_told(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"{n}.png", "width": 60, "height": 40} for n in range(12)]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "cow"}]
    annotations = [
        {"id": 2 * n + k, "image_id": n, "category_id": 1 + k, "bbox": [5 + 30 * k, 5, 20, 20]}
        for n in range(12) for k in range(2)
    ]  # fmt: skip
    (tmp_path / "images").mkdir()
    for one in images:
        picture = Image.new("RGB", (60, 40), "white")
        ImageDraw.Draw(picture).rectangle((5, 5, 24, 24), "red")
        ImageDraw.Draw(picture).rectangle((35, 5, 54, 24), "blue")
        picture.save(tmp_path / "images" / str(one["file_name"]))
    truth = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    assert len(_run(tmp_path, numbered(1, 2))) == 24
    with pytest.raises(
        InputError, match=r"read as 'ids', and 'from-0' fits better .*ids: 0, from-0: 24, from-1: 0, of 24"
    ):
        _run(tmp_path, numbered(0, 1))
    assert len(_run(tmp_path, numbered(0, 1), labels="from-0")) == 24
    assert len(_run(tmp_path, numbered(2, 3), labels="ids")) == 24  # who insists is believed


# --- forms and modules ------------------------------------------------------------------------------------------------


def test_a_torch_module_is_called_as_torchvision_does(folder: Path) -> None:
    torch = pytest.importorskip("torch")

    class Red(torch.nn.Module):  # type: ignore[misc, name-defined]
        """The bounding box of what is red, by max-pooling; 1 of torchvision's labels is the first."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([1.0, -1.0, -1.0]))
            self.training_seen: list[bool] = []

        def forward(self, images: list[Any]) -> list[dict[str, Any]]:
            self.training_seen.append(self.training or torch.is_grad_enabled())
            out = []
            for one in images:
                assert one.ndim == 3
                assert one.max() <= 1
                rows, columns = torch.nonzero((one * self.weight[:, None, None]).sum(0) > 0.5, as_tuple=True)
                some = len(rows) > 0
                ends = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if some else []
                boxes = torch.tensor([ends], dtype=torch.float32) if some else torch.zeros((0, 4))
                out.append(
                    {"boxes": boxes, "labels": torch.full((int(some),), CAT), "scores": torch.full((int(some),), 0.9)}
                )
            return out

    module = Red().train()
    found = _run(folder, module)
    assert [one["image_id"] for one in found] == [1, 2, 3, 5]
    assert found[0]["bbox"] == [10, 10, 40, 40]
    assert not any(module.training_seen)
    assert module.training
    with torch.no_grad():
        facts = Detector(call=module).facts()
        module.weight += 1
    assert Detector(call=module).facts() != facts  # other weights, other work


def test_a_model_of_ultralytics_is_asked_to_predict(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    asked: list[dict[str, Any]] = []

    def predict(self: Any, pictures: list[Any], **options: Any) -> list[Any]:
        asked.append(options)
        one = {"xyxy": torch.tensor([[1.0, 2, 11, 12]]), "conf": torch.tensor([0.5]), "cls": torch.tensor([1.0])}
        return [SimpleNamespace(boxes=SimpleNamespace(**one), names={0: "hound", 1: "dog"}) for _ in pictures]

    model = type("YOLO", (torch.nn.Module,), {"__module__": "ultralytics.models.yolo.model", "predict": predict})()
    found = _run(folder, model)
    assert {one["category_name"] for one in found} == {"dog"}
    assert found[0]["bbox"] == [1, 2, 10, 10]
    assert asked == [{"conf": 0.05, "verbose": False}]


# --- views ------------------------------------------------------------------------------------------------------------


def test_what_is_found_in_a_view_is_turned_back(folder: Path) -> None:
    plain = {json.dumps(one) for one in _run(folder, blobs, views=views_of("flip,0.5,2"))}
    agreed = _found(folder / "out.views.json")
    assert len(plain) == len(agreed) == 5
    assert [one["bbox"] for one in agreed] == [one["bbox"] for one in _found(folder / "out.json")]
    assert [one["score"] for one in agreed] == [0.5] * 5  # each view found each, and turned back it lies there


@pytest.mark.parametrize("view", [View(flip=True), View(scale=0.37), View(scale=1.9)])
def test_a_box_goes_there_and_back(view: View) -> None:
    """Where a box drawn into a picture is found in its view, and turned back is the box again."""
    for size in ((160, 121), (77, 200)):
        picture = Image.new("RGB", size, "white")
        box = np.array([[20, 30, 61, 50]])
        ImageDraw.Draw(picture).rectangle((20, 30, 60, 49), "red")
        seen = view.of(picture)
        dark = np.asarray(seen)[..., 1] < 128
        rows, columns = np.nonzero(dark)
        ends = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)
        tolerance = 0 if view.flip else 1.5 / view.scale
        np.testing.assert_allclose(view.back(ends, seen.size, size), box, atol=tolerance)


def test_a_detector_that_only_sees_the_left_is_not_confirmed(folder: Path) -> None:
    def left(pictures: Sequence[Any]) -> list[Any]:
        return [[[0, 0, 20, 20, 0.5]] for _ in pictures]

    summary = detect(
        folder / "images", Detector(call=left, names=((0, "cat"),)), out=folder / "out.json", views=views_of(["flip"])
    )
    assert summary["detections"] == 6
    assert summary["confirmed_by_a_view"] == 0
    assert _found(folder / "out.views.json") == []


@pytest.mark.parametrize("wrong", ["mirror", "1", "0", "-2", "nan", "100", "flip,flip"])
def test_views_that_are_none(wrong: str) -> None:
    with pytest.raises(OptionError, match="'views' must be"):
        views_of(wrong)


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda pictures: 1 / 0, r"failed \(ZeroDivisionError: .*\)\. It got 6 pictures, the first of them 'a\.png'"),
        (lambda pictures: [[]], "must return 6 results for 6 pictures. Got 1. Return a list"),
        (lambda pictures: None, "must return 6 results for 6 pictures. Got 1"),
        (lambda pictures: [None] * len(pictures), "result of 'a.png' is no supervision"),
        (lambda pictures: [[[0, 0, 9, 9, 93.0, 0]]] * len(pictures), r"first: 93\)\. These look like percentages"),
        (lambda pictures: [[[0, 0, 9, 9, -1.5, 0]]] * len(pictures), "look like logits, or a mixture"),
        (lambda pictures: [[[0, 0, 9, 9, 0.5, 0], [0, 0, 9, 9, 4.5, 0], [0, 0, 9, 9, 0.4, 0]]] * len(pictures),
         r"Of 'a.png' 1 of 3 are not \(first: 4.5\)\. These look like logits"),
    ],
)  # fmt: skip
def test_a_detector_that_fails_says_so_and_leaves_nothing(folder: Path, answer: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _run(folder, answer)
    assert not list(folder.glob("out*"))


def test_pictures_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    detector = Detector(call=blobs)
    with pytest.raises(InputError, match="Not one picture can be used"):
        detect(tmp_path, detector, out=tmp_path / "o.json")
    (tmp_path / "a.png").write_text("<html>")
    with pytest.raises(InputError, match=r"Not one picture can be used \(1 not_an_image\)"):
        detect(tmp_path, detector, out=tmp_path / "o.json")
    with pytest.raises(InputError, match=r"This is no data set of boxes\. Looked for: a JSON file"):
        detect(tmp_path, detector, out=tmp_path / "o.json", truth=tmp_path / "notes.txt")
    with pytest.raises(OptionError, match=r"'out' must be a file named \.json"):
        detect(tmp_path, detector, out=tmp_path / "o.csv")


def test_links_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "secret.png").write_bytes((folder / "images" / "a.png").read_bytes())
    (folder / "images" / "z.png").symlink_to(folder / "secret.png")
    summary = detect(folder / "images", Detector(call=blobs), out=tmp_path / "o.json")
    assert summary["left_out"] == [{"reason": "path_outside_folder", "count": 1, "examples": ["z.png"]}]


def test_what_is_there_is_not_replaced(folder: Path) -> None:
    detector = Detector(call=blobs)
    for taken in ("o.json", "o.summary.json"):
        (folder / taken).write_text("mine")
        with pytest.raises(RunError, match=f"{taken}' exists already"):
            detect(folder / "images", detector, out=folder / "o.json")
        (folder / taken).unlink()
    (folder / "o.json.partial").mkdir()
    (folder / "o.json.partial" / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="is no unfinished work"):
            detect(folder / "images", detector, out=folder / "o.json", overwrite=overwrite)
    (folder / "d.json").mkdir()
    with pytest.raises(RunError, match="is a folder"):
        detect(folder / "images", detector, out=folder / "d.json", overwrite=True)


# --- other data -------------------------------------------------------------------------------------------------------


def test_yolo_and_voc_data_are_looked_at_and_mined(tmp_path: Path) -> None:
    write_data(tmp_path)
    for number, name in enumerate(("a", "d")):
        for folder in ("y/images/train", "y/labels/train", "v/Annotations", "v/JPEGImages"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for folder in ("y/images/train", "v/JPEGImages"):
            (tmp_path / folder / f"{name}.png").write_bytes((tmp_path / "images" / f"{name}.png").read_bytes())
        (tmp_path / "y/labels/train" / f"{name}.txt").write_text(f"{number} 0.1875 0.25 0.25 0.333\n")
        box = "<bndbox><xmin>11</xmin><ymin>11</ymin><xmax>50</xmax><ymax>50</ymax></bndbox>"
        label = ("cat", "dog")[number]
        (tmp_path / "v/Annotations" / f"{name}.xml").write_text(
            f"<annotation><object><name>{label}</name>{box}</object></annotation>"
        )
    (tmp_path / "y/data.yaml").write_text("train: images/train\nnames: [cat, dog]\n")
    for truth, pictures in (("y/data.yaml", "y"), ("v", "v/JPEGImages")):
        for numbers, labels in (((1, 2), "told"), ((0, 1), "from-0"), (("cat", "dog"), "told")):
            detector = Detector(call=lambda found, said=numbers: blobs(found, said), labels=labels)  # type: ignore[arg-type]
            detect(tmp_path / pictures, detector, out=tmp_path / "o.json", truth=tmp_path / truth, overwrite=True)
            found = _found(tmp_path / "o.json")
            assert [(one["image_id"], one["category_name"]) for one in found] == [
                ("a", "cat"),
                ("a", "dog"),
                ("d", "cat"),
            ]
            counts = read(tmp_path / truth, options=ReadOptions(predictions=tmp_path / "o.json")).counts
            assert counts["detections"] == 3
            assert counts["detections_correct"] == 1


def test_a_split_is_looked_at_even_for_evaluation(tmp_path: Path) -> None:
    images = [one | {"split": "test" if one["id"] == 1 else "train"} for one in TRUTH["images"]]
    write_data(tmp_path, TRUTH | {"images": images})
    for split, ids in ((None, {2, 3, 5}), ("test", {1})):
        detect(
            tmp_path / "images", Detector(call=blobs), out=tmp_path / "o.json", truth=tmp_path / "truth.json",
            split=split, overwrite=True,
        )  # fmt: skip
        assert {one["image_id"] for one in _found(tmp_path / "o.json")} == ids


# --- killed -----------------------------------------------------------------------------------------------------------

SLOW = """
import sys, time
from pathlib import Path
from tests.unit.detecting.test_detecting import blobs
from hardneg.detecting import Detector, asking, detect, views_of

asking.PART = 4

def slow(pictures):
    time.sleep(0.03)
    return blobs(pictures)

detect(sys.argv[1], Detector(call=slow, batch_size=2), out=sys.argv[2], views=views_of("flip"))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill that cannot be caught")
def test_killed_again_and_again_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(60):
        picture = Image.new("RGB", (64, 48), "white")
        left, top = random.integers(0, 30, 2).tolist()
        ImageDraw.Draw(picture).rectangle((left, top, left + 15, top + 10), ("red", "blue")[number % 2])
        picture.save(tmp_path / "in" / f"{number:02d}.png")
    (tmp_path / "in" / "30.png").write_bytes(b"")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}

    def started(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "in"), str(out)], env=environment)

    assert started(tmp_path / "whole.json").wait() == 0
    journal = tmp_path / "again.json.partial" / "journal.jsonl"

    def damage(kills: int) -> None:  # a part that was damaged meanwhile is made anew
        if kills == 2:
            next(journal.parent.glob("*.parquet")).write_bytes(b"damaged")

    kills = killed_until_done(lambda: started(tmp_path / "again.json"), journal, step=6, after=damage)
    assert kills >= 2
    for end in (".json", ".summary.json", ".views.json"):
        assert (tmp_path / f"again{end}").read_bytes() == (tmp_path / f"whole{end}").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_work_of_another_detector_is_not_gone_on_with(folder: Path) -> None:
    calls: list[int] = []

    def stops(pictures: Sequence[Any]) -> list[Any]:
        calls.append(len(pictures))
        if len(calls) > 2:
            raise KeyboardInterrupt
        return blobs(pictures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hardneg.detecting.asking.PART", 2)
        out = folder / "out.json"
        with pytest.raises(KeyboardInterrupt):
            detect(folder / "images", Detector("a:b", call=stops, batch_size=2), out=out)
        for other in (Detector("a:c", call=blobs, batch_size=2), Detector("a:b", "2", call=blobs, batch_size=2)):
            with pytest.raises(RunError, match="unfinished work on other pictures, or with another detector"):
                detect(folder / "images", other, out=out)
        (folder / "images" / "z.png").write_bytes((folder / "images" / "a.png").read_bytes())
        with pytest.raises(RunError, match="unfinished work on other pictures"):
            detect(folder / "images", Detector("a:b", call=blobs, batch_size=2), out=out)
        (folder / "images" / "z.png").unlink()
        calls[:] = []
        asked: list[int] = []

        def counts(pictures: Sequence[Any]) -> list[Any]:
            asked.append(len(pictures))
            return blobs(pictures)

        detect(folder / "images", Detector("a:b", call=counts, batch_size=2), out=out)
    assert sum(asked) == 2  # of six pictures four were there
