from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection, as_ids
from hardneg.errors import InputError
from hardneg.images import Crop
from hardneg.sounds import Clip


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (["a", "b"], pa.string()),
        (np.array(["a", "b"]), pa.string()),
        ([1, 2], pa.int64()),
        (np.array([1, 2], np.uint8), pa.int64()),
        ((one for one in (1, 2)), pa.int64()),
        (pa.chunked_array([["a"], ["b"]]), pa.string()),
        (pa.chunked_array([["a"], ["b"]]).dictionary_encode(), pa.string()),
        (pa.array(["a", "b"], pa.large_string()), pa.string()),
        (pa.array([1, 2], pa.int16()), pa.int64()),
        ([], pa.string()),
    ],
)
def test_ids_become_text_or_whole_numbers(given: object, kind: pa.DataType) -> None:
    assert as_ids(given).type == kind


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ([1, "a"], "mix numbers and text"),
        ([1.5], "Got float"),
        ([True], "Got bool"),
        (["a", None], "missing"),
        (pa.array([None, None]), "text or whole numbers"),
        ([2**70], "64 bits"),
        (pa.array([1.0]), "Got double"),
    ],
)
def test_other_ids_are_refused(given: object, word: str) -> None:
    with pytest.raises(InputError, match=word):
        as_ids(given)


def test_ids_are_unique() -> None:
    with pytest.raises(InputError, match=r"1 ids occur more than once \(first: 'b'\)"):
        Collection.of(["a", "b", "b"])


def test_texts_are_as_many_as_ids() -> None:
    with pytest.raises(InputError, match="2 ids and 1 texts"):
        Collection.of(["a", "b"], texts=["x"])


@pytest.mark.parametrize(
    ("ids", "wanted", "rows"),
    [
        (["a", "7"], ["7", "x", "a"], [1, -1, 0]),
        (["a", "7", "-3"], [7, -3, 8], [1, 2, -1]),
        ([7, -3, 0], ["7", "-3", "0", "07", "+7", " 7", "x", ""], [0, 1, 2, -1, -1, -1, -1, -1]),
        ([9223372036854775807, 1234567890123456789], ["1234567890123456789", "9223372036854775807"], [1, 0]),
        ([7], ["99999999999999999999999"], [-1]),
        ([], ["a"], [-1]),
        (["a"], [], []),
    ],
)
def test_positions(ids: list[object], wanted: list[object], rows: list[int]) -> None:
    assert Collection.of(ids).positions(wanted).tolist() == rows


def test_random_numbers_are_drawn_by_id_not_by_row_or_kind() -> None:
    keys = Collection.of([7, 8]).keys
    assert Collection.of(["8", "7"]).keys.tolist() == keys[::-1].tolist()
    assert len(set(Collection.of(range(1000)).keys.tolist())) == 1000
    assert len(Collection.of([]).keys) == 0


def test_other_columns_travel_along() -> None:
    table = pa.table({"id": ["a", "b", "c"], "group": [1, 2, 3]})
    assert Collection(table).take(np.array([2, 0])).table.column("group").to_pylist() == [3, 1]
    assert Collection(table).texts is None


def test_sounds_are_files_bytes_or_parts_of_either(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b", "c"], "audio": ["x.wav", "x.wav", None]})
    assert Collection(table).sounds[1] == "x.wav"  # type: ignore[index]
    timed = table.append_column("start", pa.array([None, 0.5, None], pa.float64()))
    timed = timed.append_column("end", pa.array([None, None, 1.0], pa.float64()))
    sounds = Collection(timed, tmp_path).sounds
    assert sounds is not None
    inside = str(tmp_path / "x.wav")
    assert list(sounds) == [inside, Clip(inside, 0.5, None), None]
    assert list(sounds[1:]) == list(sounds)[1:]
    assert sounds.null_count == 1  # type: ignore[attr-defined]
    assert Collection(timed, tmp_path).pictures is None
    carried = pa.table({"id": ["a"], "audio": pa.array([b"RIFF"], pa.binary())})
    assert Collection(carried, tmp_path).sounds[0] == b"RIFF"  # type: ignore[index]
    assert Collection.of(["a"]).sounds is None


def test_pictures_with_a_box_are_crops(tmp_path: Path) -> None:
    boxes = pa.array([[1.0, 2, 3, 4], None, [0, 0, 1, 1]], pa.list_(pa.float64(), 4))
    pictures = Collection(pa.table({"id": ["a", "b", "c"], "path": ["x", "x", None], "box": boxes}), tmp_path).pictures
    assert pictures is not None
    inside = str(tmp_path / "x")
    assert list(pictures) == [Crop(inside, (1.0, 2.0, 3.0, 4.0)), inside, None]
    assert list(pictures[1:]) == [inside, None]


def test_encoders_look_where_a_detector_found_the_thing(tmp_path: Path) -> None:
    box, found = ([[1.0, 2, 3, 4]], [[0.0, 2, 5, 5]])
    table = pa.table({"id": ["a"], "path": ["x"], "box": pa.array(box), "found_box": pa.array(found)})
    things, inside = Collection(table, tmp_path), str(tmp_path / "x")
    assert list(things.pictures or ()) == [Crop(inside, (1.0, 2.0, 3.0, 4.0))]
    assert list(things.looked_at or ()) == [Crop(inside, (0.0, 2.0, 5.0, 5.0))]
    plain = Collection(table.drop_columns("found_box"), tmp_path)
    assert list(plain.looked_at or ()) == list(plain.pictures or ())
    assert Collection.of(["a"]).looked_at is None
