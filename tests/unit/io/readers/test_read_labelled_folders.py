from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.io.readers.pictures import encoded, image, pets, picture
from tests.unit.io.readers.reader_files import skipped

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading


def noted(reading: Reading) -> dict[str, int]:
    return {note.reason: note.count for note in reading.notes}


def column(reading: Reading, name: str) -> list[object]:
    found: list[object] = reading.positives.items.table.column(name).to_pylist()
    return found


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets")
    reading = read(folder)
    items = reading.positives.items
    assert reading.format == "labelled, image folder"
    assert items.table.column_names == ["id", "path", "label", "width", "height", "content"]
    assert column(reading, "id") == column(reading, "path")
    assert column(reading, "id") == [f"{name}/{at}.png" for name in ("cat", "dog") for at in range(3)]
    assert column(reading, "label") == ["cat"] * 3 + ["dog"] * 3
    assert items.root == folder
    assert Path(items.pictures[0]).is_file()  # type: ignore[index, arg-type]
    assert column(reading, "width") == [12] * 6
    assert {len(str(one)) for one in column(reading, "content")} == {32}
    assert len(reading.positives.anchors) == 6
    assert reading.skips == []
    assert reading.notes == []


def test_splits_are_all_read_and_only_one_is_mined(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets", "train", "test")
    reading = read(folder)
    positives = reading.positives
    assert reading.format == "labelled, image folder, split train of test, train"
    barred = [one for one, out in zip(positives.items.ids.to_pylist(), positives.barred, strict=True) if out]
    assert len(barred) == 6
    assert all(one.startswith("test/") for one in barred)
    assert all(one.startswith("train/") for one in positives.anchors.ids.to_pylist())
    assert not positives.barred[positives.positive.values].any()
    assert set(column(reading, "split")) == {"train", "test"}


def test_mining_what_is_for_evaluation_must_be_insisted_on(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets", "train", "Valid")
    with pytest.raises(OptionError, match=r"'Valid' is for evaluation: what is mined from it leaks.*--mine-evaluation"):
        read(folder, options=ReadOptions(split="Valid"))
    reading = read(folder, options=ReadOptions(split="Valid", mine_evaluation=True))
    assert all(one.startswith("Valid/") for one in reading.positives.anchors.ids.to_pylist())
    with pytest.raises(OptionError, match="'test' is for evaluation"):
        read(pets(tmp_path / "only", "test"))


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'dev'. Found: test, train"):
        read(pets(tmp_path / "pets", "train", "test"), options=ReadOptions(split="dev"))
    with pytest.raises(InputError, match="have no splits"):
        read(pets(tmp_path / "bare"), options=ReadOptions(split="train"))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for number, name in enumerate(("bus", "train", "car")):
        picture(tmp_path / name / "1.png", number)
    assert read(tmp_path).positives.classes.names == ("bus", "car", "train")  # type: ignore[union-attr]


def test_splits_beside_other_folders_are_refused(tmp_path: Path) -> None:
    pets(tmp_path, "train")
    picture(tmp_path / "extra" / "1.png", 99)
    with pytest.raises(InputError, match=r"Some folders are splits \(train\), others are not \(extra\)"):
        read(tmp_path)


def test_what_is_in_no_class_is_unlabelled_or_counted(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets", "train", "test")
    picture(folder / "unlabelled" / "deep" / "1.jpg", 50, "jpeg")
    picture(folder / "train" / "unlabeled" / "2.png", 51)
    picture(folder / "test" / "unknown" / "3.png", 52)
    picture(folder / "train" / "cat" / "siamese" / "4.png", 53)
    picture(folder / "train" / "5.png", 54)
    picture(folder / "6.png", 55)
    (folder / "train" / "cat" / "notes.txt").write_text("sweet")
    (folder / ".DS_Store").write_text("")
    picture(folder / "__MACOSX" / "cat" / "7.png", 56)
    reading = read(folder)
    labels = dict(zip(column(reading, "id"), column(reading, "label"), strict=True))
    barred = dict(zip(column(reading, "id"), reading.positives.barred, strict=True))
    assert labels["train/cat/siamese/4.png"] == "cat"
    unlabelled = {one for one, label in labels.items() if label is None}
    assert unlabelled == {"unlabelled/deep/1.jpg", "train/unlabeled/2.png", "test/unknown/3.png"}
    assert {one for one in unlabelled if barred[one]} == {"test/unknown/3.png"}
    assert skipped(reading) == {"outside_a_class": 2, "no_picture": 1, "hidden_file": 2}
    assert reading.counts["rows"] == len(labels) + 5


def test_broken_pictures_are_counted_and_odd_ones_noted(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets")
    (folder / "cat" / "empty.png").write_bytes(b"")
    (folder / "cat" / "page.jpg").write_text("<html>404</html>")
    (folder / "dog" / "cut.png").write_bytes(encoded(60)[:200])
    (folder / "dog" / "gone.png").symlink_to(folder / "dog" / "nothing.png")
    picture(folder / "dog" / "grey.png", 61, mode="L")
    picture(folder / "dog" / "print.jpg", 62, "jpeg", mode="CMYK")
    picture(folder / "dog" / "wrong.png", 63, "jpeg")
    frames = [image(number) for number in (64, 65)]
    frames[0].save(folder / "dog" / "moving.gif", save_all=True, append_images=frames[1:])
    (folder / "bird").mkdir()
    (folder / "bird" / "0.png").write_bytes(b"")
    reading = read(folder)
    assert skipped(reading) == {"empty_file": 2, "not_an_image": 1, "truncated_image": 1, "missing_file": 1}
    assert noted(reading) == {
        "animated_first_frame_used": 1, "suffix_of_another_format": 1, "class_without_a_usable_picture": 1,
    }  # fmt: skip
    assert {"dog/grey.png", "dog/print.jpg", "dog/wrong.png", "dog/moving.gif"} <= set(column(reading, "id"))
    assert next(one for one in reading.notes if one.reason.startswith("class_")).examples == ("bird",)


def test_the_same_picture_under_two_labels_stays_and_is_noted(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets", "train", "test")
    for name in ("train/dog/copy.png", "train/cat/copy.png", "test/cat/copy.png", "unlabelled/copy.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / "train/cat/0.png").read_bytes())
    reading = read(folder)
    assert noted(reading) == {"same_image_again": 1, "same_image_two_labels": 1, "same_image_two_splits": 1}
    assert skipped(reading) == {"already_labelled": 1}
    assert {"train/cat/copy.png", "train/dog/copy.png", "test/cat/copy.png"} <= set(column(reading, "id"))


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets")
    picture(tmp_path / "secret" / "1.png", 70)
    (folder / "cat" / "link.png").symlink_to(tmp_path / "secret" / "1.png")
    (folder / "secrets").symlink_to(tmp_path / "secret")
    (folder / "kittens").symlink_to(folder / "cat")
    (folder / "dog" / "inside.png").symlink_to(folder / "cat" / "0.png")
    reading = read(folder)
    assert skipped(reading) == {"path_outside_folder": 2, "linked_folder": 1}
    assert "dog/inside.png" in column(reading, "id")
    wider = read(folder, options=ReadOptions(media_root=tmp_path))
    assert skipped(wider) == {"linked_folder": 2}
    assert wider.positives.items.root == tmp_path
    assert "pets/cat/link.png" in column(wider, "path")


def test_a_folder_that_is_itself_a_link(tmp_path: Path) -> None:
    pets(tmp_path / "pets")
    (tmp_path / "link").symlink_to(tmp_path / "pets")
    assert column(read(tmp_path / "link"), "path") == column(read(tmp_path / "pets"), "path")


def test_more_items_without_a_label(tmp_path: Path) -> None:
    folder, pool = pets(tmp_path / "pets"), tmp_path / "pool"
    for number in range(4):
        picture(pool / f"{number}.png", 80 + number)
    (pool / "copy.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    reading = read(folder, options=ReadOptions(unlabelled=pool))
    items = reading.positives.items
    assert items.root == tmp_path
    assert items.ids.to_pylist()[:1] == ["cat/0.png"]
    assert column(reading, "path")[0] == "pets/cat/0.png"
    assert [
        one for one, label in zip(column(reading, "id"), column(reading, "label"), strict=True) if label is None
    ] == [f"pool/{number}.png" for number in range(4)]
    assert skipped(reading) == {"already_labelled": 1}
    assert all(os.path.isfile(str(one)) for one in items.pictures)  # type: ignore[union-attr]  # noqa: PTH113
    assert reading.counts["unlabelled"] == 4
    assert not reading.positives.barred.any()


def test_one_class_needs_something_to_mine_from(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "one" / "cat" / f"{number}.png", number)
        picture(tmp_path / "pool" / f"{number}.png", 10 + number)
    with pytest.raises(InputError, match="All items have the label 'cat', so none can be a negative"):
        read(tmp_path / "one")
    assert len(read(tmp_path / "one", options=ReadOptions(unlabelled=tmp_path / "pool")).positives.items) == 6


def test_classes_as_anchors(tmp_path: Path) -> None:
    reading = read(pets(tmp_path), options=ReadOptions(anchors="classes"))
    assert reading.positives.anchors.ids.to_pylist() == ["cat", "dog"]
    assert reading.positives.positive[1].tolist() == [3, 4, 5]


def test_ids_that_may_not_be_mined(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets")
    (tmp_path / "ids.txt").write_text("cat/0.png\nfox/0.png\n")
    reading = read(folder, options=ReadOptions(exclude_ids=tmp_path / "ids.txt"))
    assert reading.positives.barred.tolist() == [True, *[False] * 5]
    assert skipped(reading) == {"unknown_excluded_id": 1}
    assert list(reading.files) == ["ids.txt"]


def test_folders_without_classes_or_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "flat" / "1.png", 0)
    with pytest.raises(InputError, match=r"not in folders of classes. Give each class a folder"):
        read(tmp_path / "flat")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="format is not recognised"):
        read(tmp_path / "empty")
    with pytest.raises(InputError, match="no picture and no sound in this folder"):
        read(tmp_path / "empty", format="labelled")
    (tmp_path / "broken" / "cat").mkdir(parents=True)
    (tmp_path / "broken" / "cat" / "1.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"None of the 1 rows or files can be used \(1 empty_file\)"):
        read(tmp_path / "broken")


def test_a_picture_that_claims_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pets(tmp_path)
    Image.new("1", (20_000, 20_000)).save(folder / "dog" / "huge.png")
    assert skipped(read(folder)) == {"image_too_large": 1}


def test_options_of_other_formats_are_refused(tmp_path: Path) -> None:
    folder = pets(tmp_path)
    for options, words in (
        (ReadOptions(corpus=tmp_path / "c.jsonl"), "--unlabelled"),
        (ReadOptions(anchor_vectors=tmp_path / "v.npy", item_vectors=tmp_path / "v.npy"), "--item-vectors alone"),
    ):
        with pytest.raises(OptionError, match=words):
            read(folder, options=options)
    with pytest.raises(OptionError, match="can be classes only where labels"):
        ReadOptions(anchors="classes", positives="groups")
    with pytest.raises(OptionError, match=r"must be items or classes. Got both"):
        ReadOptions(anchors="both")  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_listed_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pets(tmp_path / "pets")
    listing = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "cat":
            raise PermissionError(13, "Permission denied", path)
        return listing(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match="cat: The folder cannot be read: Permission denied"):
        read(folder)
