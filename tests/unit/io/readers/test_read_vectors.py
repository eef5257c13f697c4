from __future__ import annotations

import contextlib
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
from hardneg.io.readers import ReadOptions, _vector_carrier, _vector_tables, read, read_vectors
from hardneg.matrix import Reordered
from hardneg.stored import Stored

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


def arrow(path: Path, vectors: Any, ids: list[str] | None, packing: str | None = None, stream: bool = False) -> Path:
    """An Arrow file of two batches, with a column of text before the vectors."""
    flat = pa.array(np.ascontiguousarray(vectors).ravel())
    columns = {"text": ["x"] * len(vectors), "v": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])}
    table = pa.table(columns | ({} if ids is None else {"id": pa.array(ids)}))
    options = pa.ipc.IpcWriteOptions(compression=packing)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, make(file, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


def packed_arrow(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    return arrow(path, vectors, ids, packing="lz4")


def stream(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    return arrow(path, vectors, ids, stream=True)


def lists(path: Path, vectors: Any, ids: list[str] | None) -> Path:
    """An Arrow file with lists of any length."""
    columns = {"vector": pa.array(list(vectors)), **({} if ids is None else {"_id": pa.array(ids)})}
    table = pa.table(columns)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return path


WRITERS = [npy, npz, safetensors, parquet, fixed, arrow, packed_arrow, stream, lists]
ALL = pytest.mark.parametrize("write", WRITERS)
KINDS = pytest.mark.parametrize("kind", ["f4", "f2", "i1", "f8", "i4"])


@pytest.fixture(params=["memory", "disk"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where vectors come to lie: in memory, or on disk as if there were many of them."""
    if request.param == "disk":
        monkeypatch.setattr(_vector_carrier, "_LOADED", 0)
        monkeypatch.setattr(_vector_carrier, "_LOADED_PACKED", 0)
        monkeypatch.setattr(_vector_carrier, "BATCH", 12)
        monkeypatch.setattr(_vector_tables, "BATCH", 12)
    return str(request.param)


@ALL
def test_in_order_and_by_id(tmp_path: Path, write: Any, place: str) -> None:
    in_order = read_vectors(write(tmp_path / "x", VECTORS, None), DOCS, "item")
    np.testing.assert_array_equal(in_order[:], VECTORS)
    by_id = read_vectors(write(tmp_path / "y", TURNED, ["c", "b", "a"]), DOCS, "item")
    np.testing.assert_array_equal(by_id[:], VECTORS)
    assert by_id.dtype == np.float32
    more = write(tmp_path / "z", np.vstack([TURNED, TURNED[:1]]), ["c", "b", "a", "x"])
    np.testing.assert_array_equal(read_vectors(more, DOCS, "item")[:], VECTORS)
    same = read_vectors(write(tmp_path / "w", VECTORS, ["a", "b", "c"]), DOCS, "item")
    kinds = (np.ndarray, np.ndarray) if place == "memory" else (Stored, Reordered)
    assert (type(same), type(by_id)) == kinds


@ALL
@KINDS
def test_every_carrier_gives_the_same_rows(tmp_path: Path, write: Any, kind: str, place: str) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(-99, 99, size=(23, 5)).astype(kind)
    ids = [f"d{one}" for one in rng.permutation(23)]
    docs = Collection.of(sorted(ids)[:20])
    wanted = numbers[[ids.index(one) for one in docs.ids.to_pylist()]]
    for found, array in (
        (read_vectors(write(tmp_path / "x", numbers, None), Collection.of(ids), "item"), numbers),
        (read_vectors(write(tmp_path / "y", numbers, ids), docs, "item"), wanted),
    ):
        assert found.dtype == (kind if kind in ("f4", "f2", "i1") else "f4")
        assert found.shape == array.shape
        np.testing.assert_array_equal(found[:], array)
        np.testing.assert_array_equal(found[3:11], array[3:11])
        rows = rng.integers(0, len(array), 50)
        np.testing.assert_array_equal(found[rows], array[rows])


@ALL
def test_what_does_not_fit_is_named(tmp_path: Path, write: Any, place: str) -> None:
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
def test_a_cut_file(tmp_path: Path, write: Any, place: str) -> None:
    path = write(tmp_path / "x", VECTORS, None)
    path.write_bytes(path.read_bytes()[: -60 if write is stream else -7])  # a stream may lack its end
    with pytest.raises(InputError, match=r"x.*: The file is cut short or damaged"):
        read_vectors(path, DOCS, "item")


@ALL
def test_damaged_bytes_never_crash(tmp_path: Path, write: Any, place: str) -> None:
    path = write(tmp_path / "x", VECTORS, ["a", "b", "c"])
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(content)
        for at in rng.integers(0, len(broken), 3):
            broken[at] = rng.integers(256)
        path.write_bytes(broken)
        with contextlib.suppress(InputError):
            assert read_vectors(path, DOCS, "item").shape[0] == 3


@ALL
def test_a_folder_of_files(tmp_path: Path, write: Any, place: str) -> None:
    """Shard 2 comes before shard 10, with ids and without."""
    numbers = np.arange(24, dtype=np.float32).reshape(12, 2)
    ids = [f"d{one}" for one in range(12)]
    for with_ids in (False, True):
        folder = tmp_path / f"shards{with_ids}"
        folder.mkdir()
        for shard in range(12):
            part = slice(shard, shard + 1)
            made = write(folder / f"shard-{shard}", numbers[part], ids[part] if with_ids else None)
            made.rename(made.with_suffix(SUFFIXES.get(write, ".arrow")))
        (folder / "notes.md").write_text("not vectors")
        found = read_vectors(folder, Collection.of(ids[::-1] if with_ids else ids), "item")
        np.testing.assert_array_equal(found[:], numbers[::-1] if with_ids else numbers)


SUFFIXES = {npy: ".npy", npz: ".npz", safetensors: ".safetensors", parquet: ".parquet", fixed: ".parquet"}


def test_folders_that_do_not_fit_together(tmp_path: Path) -> None:
    def folder(name: str, *shards: tuple[Any, list[str] | None]) -> Path:
        (tmp_path / name).mkdir()
        for number, (vectors, ids) in enumerate(shards):
            npy(tmp_path / name / f"s{number}", vectors, ids)
        return tmp_path / name

    wider = folder("width", (VECTORS[:2], None), (np.ones((1, 3), np.float32), None))
    with pytest.raises(InputError, match=r"s1\.npy: Its vectors have 3 numbers .*'s0\.npy' have 2"):
        read_vectors(wider, DOCS, "item")
    with pytest.raises(InputError, match=r"s1\.npy: .* of type float16, those of 's0\.npy' have 2 of type float32"):
        read_vectors(folder("kind", (VECTORS[:2], None), (VECTORS[2:].astype(np.float16), None)), DOCS, "item")
    with pytest.raises(InputError, match=r"s1\.npy: There are no ids here, and other files"):
        read_vectors(folder("some", (VECTORS[:2], ["a", "b"]), (VECTORS[2:], None)), DOCS, "item")
    with pytest.raises(InputError, match=r"s1\.npy: There are 2 ids and 1 vectors"):
        read_vectors(folder("count", (VECTORS[:2], ["a", "b"]), (VECTORS[2:], ["c", "d"])), DOCS, "item")
    with pytest.raises(InputError, match=r"twice: 1 ids occur more than once"):
        read_vectors(folder("twice", (VECTORS[:2], ["a", "b"]), (VECTORS[2:], ["b"])), DOCS, "item")
    with pytest.raises(InputError, match=r"empty: There are no vectors\. Give \.npy"):
        read_vectors(folder("empty"), DOCS, "item")
    with pytest.raises(InputError, match="no such file"):
        read_vectors(tmp_path / "none", DOCS, "item")


def test_shards_that_are_empty_or_have_ids_of_two_types(tmp_path: Path) -> None:
    npy(tmp_path / "s0", VECTORS[:0], [])
    fixed(tmp_path / "s1.parquet", VECTORS[:1], ["a"])
    columns = {"v": pa.FixedSizeListArray.from_arrays(pa.array(VECTORS[1:].ravel()), 2), "id": [7, 8]}
    pq.write_table(pa.table(columns), tmp_path / "s2.parquet")
    found = read_vectors(tmp_path, Collection.of(["8", "a", "7"]), "item")
    np.testing.assert_array_equal(found[:], VECTORS[[2, 0, 1]])


def test_a_saved_data_set(tmp_path: Path, place: str) -> None:
    datasets = pytest.importorskip("datasets")
    whole = datasets.Dataset.from_dict({"docid": ["c", "b", "a"], "emb": TURNED.tolist()})
    whole.cast_column("emb", datasets.Sequence(datasets.Value("float32"))).save_to_disk(tmp_path / "d", num_shards=2)
    arrow(tmp_path / "d" / "cache-1.arrow", VECTORS, None)
    found = read_vectors(tmp_path / "d", DOCS, "item")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:], VECTORS)


def test_columns_first(tmp_path: Path, place: str) -> None:
    found = read_vectors(npy(tmp_path / "x", np.asfortranarray(VECTORS), None), DOCS, "item")
    np.testing.assert_array_equal(found[:], VECTORS)


def test_too_large_for_single_precision(tmp_path: Path, place: str) -> None:
    large = VECTORS.astype(np.float64)
    large[2, 1] = 1e300
    with pytest.raises(InputError, match=r"of 1 items hold NaN or infinity \('c'\)"):
        read_vectors(npy(tmp_path / "x", large, None), DOCS, "item")


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
    for write in (parquet, lists):
        for uneven in ([[1.0], [1.0, 2.0], [1.0]], [[1.0], None, [1.0]]):
            with pytest.raises(InputError, match=r"differ in length \(first: row 2\)"):
                read_vectors(write(tmp_path / "z", uneven, None), DOCS, "item")
    pq.write_table(pa.table({"vector": ["a"]}), tmp_path / "s.parquet")
    with pytest.raises(InputError, match=r"'vector' must hold lists of numbers\. Got string"):
        read_vectors(tmp_path / "s.parquet", DOCS, "item")
    with pytest.raises(InputError, match=r"Got float32 of shape \(3, 0\)"):
        read_vectors(npy(tmp_path / "e", VECTORS[:, :0], None), DOCS, "item")
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


def test_a_reading_with_folders_of_vectors(tmp_path: Path) -> None:
    """Every file of both folders is named, also where names occur twice."""
    folder = beir(tmp_path)
    for name, count in (("q", 2), ("d", 3)):
        (tmp_path / name).mkdir()
        for number in range(count):
            npy(tmp_path / name / f"s{number}", VECTORS[number : number + 1], [f"{name}{number + 1}"])
    reading = read(folder, options=ReadOptions(anchor_vectors=tmp_path / "q", item_vectors=tmp_path / "d"))
    assert reading.item_vectors is not None
    np.testing.assert_array_equal(reading.item_vectors[:], VECTORS)
    used = {name: path for name, path in reading.files.items() if path.parent.name in ("q", "d")}
    assert set(used) == {"s0.npy", "s0.ids.txt", "s1.npy", "s1.ids.txt", "d/s0.npy", "d/s0.ids.txt", "d/s1.npy",
                         "d/s1.ids.txt", "s2.npy", "s2.ids.txt"}  # fmt: skip
    assert len(set(used.values())) == 10


def test_dimensions_must_agree(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    anchors, items = npy(folder / "q", np.zeros((2, 3)), None), npy(folder / "d", np.zeros((3, 2)), ["d3", "d1", "d2"])
    with pytest.raises(InputError, match="anchor vectors have 3 dimensions, the item vectors 2"):
        read(folder, options=ReadOptions(anchor_vectors=anchors, item_vectors=items))
