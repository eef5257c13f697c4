from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file
from tests.unit.io.readers.reader_files import beir, jsonl

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers import ReadOptions, read, read_vectors

DOCS = Collection.of(["a", "b", "c"])
VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)
TURNED = VECTORS[::-1]


def npy(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    np.save(path.with_suffix(".npy"), vectors)
    if ids is not None:
        path.with_suffix(".ids.txt").write_text("\n".join(ids) + "\n")
    return path.with_suffix(".npy")


def npz(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    arrays: dict[str, Any] = {"vectors": vectors} if ids is None else {"vectors": vectors, "ids": np.array(ids)}
    np.savez(path.with_suffix(".npz"), **arrays)
    return path.with_suffix(".npz")


def safetensors(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    save_file({"embeddings": np.ascontiguousarray(vectors)}, path.with_suffix(".safetensors"))
    if ids is not None:
        path.with_suffix(".ids.txt").write_text("\n".join(ids))
    return path.with_suffix(".safetensors")


def parquet(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    columns = {"vector": pa.array(list(vectors)), **({} if ids is None else {"_id": pa.array(ids)})}
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def fixed(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    flat = pa.array(np.ascontiguousarray(vectors).ravel())
    columns = {"v": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])}
    pq.write_table(pa.table(columns | ({} if ids is None else {"docid": pa.array(ids)})), path)
    return path


ALL = pytest.mark.parametrize("write", [npy, npz, safetensors, parquet, fixed])


@ALL
def test_in_order_and_by_id(tmp_path: Path, write: Any) -> None:
    np.testing.assert_array_equal(read_vectors(write(tmp_path / "x", VECTORS, None), DOCS, "item"), VECTORS)
    by_id = read_vectors(write(tmp_path / "y", TURNED, ["c", "b", "a"]), DOCS, "item")
    np.testing.assert_array_equal(by_id, VECTORS)
    assert by_id.dtype == np.float32
    more = write(tmp_path / "z", np.vstack([TURNED, TURNED[:1]]), ["c", "b", "a", "x"])
    np.testing.assert_array_equal(read_vectors(more, DOCS, "item"), VECTORS)


@ALL
def test_what_does_not_fit_is_named(tmp_path: Path, write: Any) -> None:
    with pytest.raises(InputError, match=r"x.*: There are 2 vectors without ids for 3 items. Store the ids"):
        read_vectors(write(tmp_path / "x", VECTORS[:2], None), DOCS, "item")
    with pytest.raises(InputError, match=r"y.*: 1 of the 3 items have no vector \('c'\). Encode these items"):
        read_vectors(write(tmp_path / "y", VECTORS[:2], ["a", "b"]), DOCS, "item")
    with pytest.raises(InputError, match=r"z.*1 ids occur more than once"):
        read_vectors(write(tmp_path / "z", VECTORS, ["a", "b", "b"]), DOCS, "item")
    broken = VECTORS.copy()
    broken[1, 0] = np.nan
    with pytest.raises(InputError, match=r"n.*: The vectors of 1 items hold NaN or infinity \('b'\)"):
        read_vectors(write(tmp_path / "n", broken, None), DOCS, "item")


@ALL
def test_a_cut_file(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path / "x", VECTORS, None)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cut short or damaged"):
        read_vectors(path, DOCS, "item")


def test_zero_vectors_pass(tmp_path: Path) -> None:
    assert not read_vectors(npy(tmp_path / "x", VECTORS * 0, None), DOCS, "item")[:].any()


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    for name, save in (("x.npy", np.save), ("x.npz", lambda path, one: np.savez(path, vectors=one))):
        save(tmp_path / name, np.array([{"a": 1}], object))
        with pytest.raises(InputError, match="Python objects, which are not read"):
            read_vectors(tmp_path / name, DOCS, "item")


def test_wrong_shapes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shape \(n, d\). Got float32 of shape \(6,\)"):
        read_vectors(npy(tmp_path / "x", VECTORS.ravel(), None), DOCS, "item")
    with pytest.raises(InputError, match="must be numbers"):
        read_vectors(npy(tmp_path / "y", VECTORS.astype(str), None), DOCS, "item")
    with pytest.raises(InputError, match=r"differ in length \(first: row 2\)"):
        read_vectors(parquet(tmp_path / "z", [[1.0], [1.0, 2.0], [1.0]], None), DOCS, "item")
    np.savez(tmp_path / "two.npz", one=VECTORS, two=VECTORS)
    with pytest.raises(InputError, match=r"which are the vectors among: one, two. Name them 'vectors'"):
        read_vectors(tmp_path / "two.npz", DOCS, "item")
    (tmp_path / "text").write_text("1 2 3")
    with pytest.raises(InputError, match="not recognised"):
        read_vectors(tmp_path / "text", DOCS, "item")


def test_sixteen_bits(tmp_path: Path) -> None:
    for kind in (np.float16, np.int8):
        found = read_vectors(npy(tmp_path / "x", VECTORS.astype(kind), None), DOCS, "item")
        assert found.dtype == kind
        np.testing.assert_array_equal(found, VECTORS)
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors.torch").save_file(
        {"vectors": torch.zeros(3, 2, dtype=torch.bfloat16)}, tmp_path / "b.safetensors"
    )
    with pytest.raises(InputError, match="Save it as float32"):
        read_vectors(tmp_path / "b.safetensors", DOCS, "item")


def test_a_reading_with_vectors_in_the_order_of_its_files(tmp_path: Path) -> None:
    """Rows that were left out leave their vectors behind."""
    folder = beir(tmp_path, "query-id\tcorpus-id\tscore\nq2\td2\t1\n")
    jsonl(folder / "corpus.jsonl", [{"_id": f"d{i}", "text": "" if i == 1 else f"t{i}"} for i in range(4)])
    anchors, items = npy(folder / "q", VECTORS[:2], None), npy(folder / "d", np.eye(4, 2), None)
    reading = read(folder, options=ReadOptions(anchor_vectors=anchors, item_vectors=items))
    assert reading.anchor_vectors is not None
    assert reading.item_vectors is not None
    assert reading.anchor_vectors[:].tolist() == [[2.0, 3.0]]
    assert reading.item_vectors[:].tolist() == np.eye(4, 2)[[0, 2, 3]].tolist()
    assert {"q.npy", "d.npy"} <= set(reading.files)


def test_dimensions_must_agree(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    anchors, items = npy(folder / "q", np.zeros((2, 3)), None), npy(folder / "d", np.zeros((3, 2)), ["d3", "d1", "d2"])
    with pytest.raises(InputError, match="anchor vectors have 3 dimensions, the item vectors 2"):
        read(folder, options=ReadOptions(anchor_vectors=anchors, item_vectors=items))
