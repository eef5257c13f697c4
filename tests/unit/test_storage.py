from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hardneg.errors import InputError, StorageError
from hardneg.storage import digest, place, read_table, storage_errors, write_json, write_rows, write_table

TABLE = pa.table({"x": pa.array(["a", "b", "a"]).dictionary_encode(), "y": [1.0, None, 3.0]})


def test_a_table_comes_back_and_its_bytes_are_always_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(TABLE, tmp_path / "new folder" / name)
    assert read_table(tmp_path / "new folder" / "a") == TABLE
    assert digest(tmp_path / "new folder" / "a") == digest(tmp_path / "new folder" / "b")


@pytest.mark.parametrize("block", [1, 2, 100])
@pytest.mark.parametrize("rows", [[2, 0], [0, 1, 2], []])
def test_rows_are_written_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[int], block: int
) -> None:
    monkeypatch.setattr("hardneg.storage._BLOCK", block)
    write_rows(TABLE, np.array(rows, np.int64), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").to_pylist() == TABLE.take(pa.array(rows, pa.int64())).to_pylist()


@pytest.mark.parametrize("where", [5, 60, -1])
def test_damage_is_noticed(tmp_path: Path, where: int) -> None:
    file = tmp_path / "t.parquet"
    write_table(TABLE, file)
    content = bytearray(file.read_bytes())
    content[where] ^= 0xFF
    file.write_bytes(bytes(content))
    with pytest.raises(InputError, match="damaged"):
        read_table(file)


def test_a_file_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    write_json([1], target)
    with pytest.raises(RuntimeError), place(target) as file:  # noqa: PT012 - the block is what fails
        file.write(b"half")
        raise RuntimeError
    assert [one.name for one in tmp_path.iterdir()] == ["x.json"]
    assert target.read_text() == "[\n  1\n]\n"


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(StorageError, match="The disk is full"), storage_errors(tmp_path):
        full.write_bytes(b"x")


def test_a_file_in_the_way_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((StorageError, FileExistsError)):
        write_json({}, tmp_path / "file" / "x.json")


def test_other_refusals_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd") as caught, storage_errors(tmp_path):
        raise OSError(errno.EIO, "odd")
    assert not isinstance(caught.value, StorageError)
