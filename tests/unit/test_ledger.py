from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import scene

from hardneg import ledger
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.stored import Segment, Stored
from hardneg.table import Array, Rows


@given(
    st.lists(st.tuples(st.sampled_from([(0, 0), (1, 1), (1, 2), (2, 3), (2, 1)]), st.booleans()), max_size=40),
)
def test_the_ledger_closes(rows: list[tuple[tuple[int, int], bool]]) -> None:
    reasons = ["", "a.x", "a.y", "b.z"]
    columns: dict[str, Array] = {
        "verdict": np.array([verdict for (verdict, _), _ in rows], np.uint8),
        "reason": np.array([reason for (_, reason), _ in rows], np.int16),
    }
    counts = ledger.count_verdicts(Rows(np.zeros(len(rows), int), np.zeros(len(rows), int), columns), reasons)
    sampled = sum(sampled and verdict == 0 for (verdict, _), sampled in rows)
    book = ledger.ledger(counts, sampled)
    assert book["candidates"] == len(rows)
    assert book["candidates"] == book["dropped"] + book["suspect"] + book["kept_not_sampled"] + book["sampled"]
    assert book["dropped"] == sum(verdict == 1 for (verdict, _), _ in rows)
    assert book["kept_not_sampled"] >= 0


def test_reasons_of_both_verdicts_are_all_counted() -> None:
    counts = Counter({("drop", "a.x"): 2, ("suspect", "b.y"): 3, ("keep", ""): 1})
    assert ledger.ledger(counts, 1)["reasons"] == {"a.x": 2, "b.y": 3}


def test_any_change_of_the_input_changes_its_hash() -> None:
    positives, vectors = scene()
    before = ledger.inputs(positives, vectors)
    assert ledger.inputs(*scene()) == before
    barred = positives.barring([positives.items.ids[10].as_py()])
    assert ledger.inputs(barred, vectors)["relations"]["hash"] != before["relations"]["hash"]
    moved = positives.with_own(np.full(len(positives.anchors), 3))
    assert ledger.inputs(moved, vectors)["relations"]["hash"] != before["relations"]["hash"]
    items = vectors.items[:].copy()
    items[3, 2] = np.nextafter(items[3, 2], np.float32(9))
    moved_item = Vectors(vectors.anchors, items)
    assert ledger.inputs(positives, moved_item)["vectors"]["hash"] != before["vectors"]["hash"]


def test_numbers_have_one_hash_in_memory_and_on_disk(tmp_path: Path) -> None:
    positives, vectors = scene()
    (tmp_path / "items").write_bytes(vectors.items[:].tobytes())
    stored = Stored([Segment(tmp_path / "items", 0, len(vectors.items))], vectors.items.shape[1], np.float32)
    assert ledger.inputs(positives, Vectors(vectors.anchors, stored)) == ledger.inputs(positives, vectors)


def test_the_hash_of_a_table_is_of_its_content_not_of_its_chunks() -> None:
    whole = Collection.of(["a", "bc"], texts=["x", "y"]).table
    chunked = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert ledger._table_hash(chunked) == ledger._table_hash(whole)
    assert ledger._table_hash(Collection.of(["ab", "c"], texts=["x", "y"]).table) != ledger._table_hash(whole)
    assert ledger._table_hash(Collection.of(["a", "bc"], texts=["xy", ""]).table) != ledger._table_hash(whole)


def test_the_seed_and_the_steps_are_part_of_the_fingerprint() -> None:
    marks = {ledger.fingerprint({"filters": [step]}, seed, {}) for step in ("a", "b") for seed in (0, 1)}
    assert len(marks) == 4
