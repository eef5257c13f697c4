from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worlds import scene

from hardneg import stored as module
from hardneg.context import Vectors
from hardneg.errors import InputError
from hardneg.matrix import Reordered
from hardneg.mining import mine
from hardneg.similarity import Similarity
from hardneg.stored import Segment, Stored

RNG = np.random.default_rng(0)
KINDS = ["<f4", "<f2", "|i1"]


def numbers(n: int, width: int, kind: str) -> np.ndarray[Any, Any]:
    return RNG.integers(-100, 100, size=(n, width)).astype(kind)


def on_disk(folder: Path, array: np.ndarray[Any, Any], cuts: list[int]) -> Stored:
    """The array in one file with two segments, one with none, and one file more, all with other bytes between."""
    parts = np.split(array, cuts)
    first = b"xxx" + parts[0].tobytes() + b"yyyyy" + parts[1].tobytes() + b"z"
    (folder / "a").write_bytes(first)
    (folder / "b").write_bytes(parts[2].tobytes())
    segments = [
        Segment(folder / "a", 3, len(parts[0])),
        Segment(folder / "a", 3, 0),
        Segment(folder / "a", 8 + parts[0].nbytes, len(parts[1])),
        Segment(folder / "b", 0, len(parts[2])),
    ]
    return Stored(segments, array.shape[1], array.dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("gap", "window"), [(0, 1), (0, 64), (10, 100), (64, 10**6)])
def test_rows_equal_those_of_an_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, gap: int, window: int
) -> None:
    monkeypatch.setattr(module, "_GAP", gap)
    monkeypatch.setattr(module, "_WINDOW", window)
    array = numbers(50, 3, kind)
    stored = on_disk(tmp_path, array, [20, 37])
    assert (stored.shape, stored.dtype, len(stored)) == ((50, 3), array.dtype, 50)
    for start, stop in ((0, 50), (5, 5), (19, 21), (10, 45), (-4, None), (60, 90), (30, 10)):
        np.testing.assert_array_equal(stored[start:stop], array[start:stop])
    np.testing.assert_array_equal(stored[40:2:-3], array[40:2:-3])
    for count in (0, 1, 7, 200):
        rows = RNG.integers(0, 50, count)
        found = stored[rows]
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array[rows])
    np.testing.assert_array_equal(stored[[49, 0]], array[[49, 0]])


def test_what_it_gives_is_its_own(tmp_path: Path) -> None:
    stored = on_disk(tmp_path, numbers(9, 2, "<f4"), [3, 6])
    before = stored[:]
    stored[:][...] = 7
    np.testing.assert_array_equal(stored[:], before)


def test_many_threads_at_a_time(tmp_path: Path) -> None:
    array = numbers(5000, 8, "<f4")
    stored = on_disk(tmp_path, array, [100, 3000])

    def same(seed: int) -> bool:
        rows = np.random.default_rng(seed).integers(0, 5000, 300)
        return bool((stored[rows] == array[rows]).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(same, range(50)))


def test_wrong_rows_are_refused(tmp_path: Path) -> None:
    stored = on_disk(tmp_path, numbers(9, 2, "<f4"), [3, 6])
    with pytest.raises(IndexError, match=r"There are 9 rows\. Got row numbers from 2 to 9"):
        stored[[2, 9]]
    with pytest.raises(IndexError):
        stored[[-1]]
    with pytest.raises(TypeError, match="Got int64 "):
        stored[3]
    with pytest.raises(TypeError, match="for all of them"):
        np.asarray(stored)


def test_files_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(40))
    with pytest.raises(InputError, match=r"a: The file is cut short .*take 48 bytes, it has 40.* Copy or write"):
        Stored([Segment(path, 0, 6)], 2, "<f4")
    stored = Stored([Segment(path, 0, 5)], 2, "<f4")
    os.truncate(path, 30)
    assert stored[:3].shape == (3, 2)
    with pytest.raises(InputError, match="a: The file is cut short or damaged"):
        stored[:]
    with pytest.raises(InputError, match=r"none: The file cannot be opened \(No such file"):
        Stored([Segment(tmp_path / "none", 0, 1)], 2, "<f4")


def test_files_are_opened_once_and_closed(tmp_path: Path) -> None:
    open_files = Path("/proc/self/fd")
    if not open_files.is_dir():
        pytest.skip("cannot count open files here")
    before = len(list(open_files.iterdir()))
    stored = on_disk(tmp_path, numbers(9, 2, "<f4"), [3, 6])
    assert len(list(open_files.iterdir())) == before + 2
    del stored
    assert len(list(open_files.iterdir())) == before


def test_a_file_without_a_name() -> None:
    array = numbers(9, 2, "<f4")
    with tempfile.TemporaryFile() as file:
        file.write(array.tobytes())
        file.flush()
        stored = Stored([Segment(file.fileno(), 0, 9)], 2, "<f4")
    np.testing.assert_array_equal(stored[[8, 1]], array[[8, 1]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_vectors_on_disk_mine_the_same_bytes(tmp_path: Path, kind: str, similarity: Similarity) -> None:
    positives, vectors = scene()
    left, right = ((one[:] * 30).astype(kind) for one in (vectors.anchors, vectors.items))
    turned = RNG.permutation(len(right))
    moved = Reordered(on_disk(tmp_path, right[turned], [10, 30]), np.argsort(turned))
    runs = [
        mine(
            positives, sources="neighbors(k=20)", filters=["margin(relative=0.05)", "agreement(reciprocal=5)"],
            sampler="top(n=3)", encoder=Vectors(left, items, similarity), out=tmp_path / name,
        )
        for name, items in (("memory", right), ("disk", moved))
    ]  # fmt: skip
    assert runs[0].negatives.equals(runs[1].negatives)
    assert runs[0].manifest == runs[1].manifest


SCAN = """
import resource, sys
from pathlib import Path
import numpy as np
from hardneg.matrix import blocks
from hardneg.similarity import check_vectors, lengths, pair_scores, zero_rows
from hardneg.stored import Segment, Stored

stored = Stored([Segment(Path(sys.argv[1]), 0, 131072)], 400, "<f4")
few = Stored([Segment(Path(sys.argv[1]), 0, 100)], 400, "<f4")
rows = np.arange(100)
pair_scores(few, few, rows, rows, "cosine")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in blocks(stored):
    pass
check_vectors(stored, "item"), zero_rows(stored), lengths(stored)
stored[np.random.default_rng(0).integers(0, 131072, 5000)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_reading_all_of_it_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("wb") as file:
        for _ in range(8):
            file.write(RNG.random((16384, 400), np.float32).tobytes())
    assert path.stat().st_size > 200e6
    found = subprocess.run([sys.executable, "-c", SCAN, str(path)], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 60 * 1024
