from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.io.readers.pictures import encoded, pets
from tests.unit.io.readers.reader_files import parquet
from tests.worlds import files, neighbors, of_relation, pairs, scene

from hardneg.context import Context
from hardneg.errors import RunError
from hardneg.io.readers import read
from hardneg.journal import Journal
from hardneg.mining import Settings, mine, refilter
from hardneg.run import Run
from hardneg.sources import Uniform
from hardneg.table import Rows
from hardneg.writing import RunWriter

FILTERS = ["known", "duplicates(similarity=0.99)", "margin(relative=0.05)"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    positives, vectors = scene(numbers=True)
    return mine(positives, sources=neighbors(vectors), filters=FILTERS, out=tmp_path_factory.mktemp("run") / "a")


def test_pictures_stay_with_the_run(tmp_path: Path) -> None:
    rows = [{"image": encoded(number), "label": "ab"[number % 2]} for number in range(6)]
    run = mine(read(parquet(tmp_path / "a.parquet", rows)).positives, sampler="top(n=2)", out=tmp_path / "a")
    assert run.media is None
    assert sorted(run.items.pictures or []) == sorted(row["image"] for row in rows)  # type: ignore[type-var]
    positives = read(pets(tmp_path / "pets")).positives
    run = mine(positives, sampler="top(n=2)", out=tmp_path / "deep" / "b")
    assert run.manifest["media"] == "../../pets"
    again = refilter(run, sampler="top(n=1)", out=tmp_path / "c")
    assert again.manifest["media"] == "../pets"
    for one in (run, again):
        assert one.items.root == one.anchors.root == one.media == tmp_path / "pets"


def test_a_run_holds_what_it_says(run: Run) -> None:
    assert sorted(files(run.path)) == [
        "anchors.parquet",
        "candidates/00000.parquet",
        "items.parquet",
        "manifest.json",
        "negatives.parquet",
        "plane.parquet",
        "positives.parquet",
    ]
    again = Run.open(run.path)
    assert again.manifest == run.manifest
    assert again.negatives == run.negatives


def test_relations_come_back(run: Run) -> None:
    before, _ = scene(numbers=True)
    after = run.positives
    for name, lists in before.lists().items():
        ids = {
            (before.anchors.ids[int(a)].as_py(), before.items.ids[int(b)].as_py())
            for a, b in zip(lists.rows(), lists.values, strict=True)
        }
        assert of_relation(run, name) == ids
        assert len(after.lists()[name].values) == len(ids)


def test_scores_of_positives_come_back_in_their_order(run: Run) -> None:
    before, vectors = scene(numbers=True)
    wanted = vectors.pairs(before.positive.rows(), before.positive.values)
    assert run.positive_scores.tolist() == wanted.tolist()


def test_verdicts_part_the_candidates(run: Run) -> None:
    table = run.candidates
    assert len(table) == len(table.kept()) + len(table.dropped()) + len(table.suspects())
    assert len(table) == run.ledger["candidates"]
    assert set(pairs(run.negatives)) <= set(pairs(table.kept()))
    assert table.suspects().num_rows == run.ledger["suspect"] > 0
    anchor = run.negatives.column("anchor")[0].as_py()
    assert (
        table.of(anchor).num_rows == table.of(str(anchor)).num_rows == sum(a == anchor for a, _ in pairs(table.table))
    )


def test_short_anchors_are_listed(run: Run) -> None:
    short = {row["anchor"]: row for row in run.short().to_pylist()}
    counts = dict.fromkeys(run.anchors.ids.to_pylist(), 0)
    for anchor, _ in pairs(run.negatives):
        counts[anchor] += 1
    assert {anchor: row["sampled"] for anchor, row in short.items()} == {a: n for a, n in counts.items() if n < 8}
    assert all(row["candidates"] >= row["suspect"] + row["dropped"] + row["sampled"] for row in short.values())


def test_what_is_no_run_is_refused(tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "b"
    shutil.copytree(run.path, copy)
    (copy / "manifest.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        Run.open(copy)
    (copy / "manifest.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(RunError, match="schema version 99"):
        Run.open(copy)
    copy.rename(tmp_path / "c.partial")
    with pytest.raises(RunError, match="not finished"):
        Run.open(tmp_path / "c")


def test_a_run_is_never_overwritten_unasked(tmp_path: Path) -> None:
    positives, vectors = scene()
    out = tmp_path / "a"
    mine(positives, sources=neighbors(vectors), out=out)
    before = files(out)
    with pytest.raises(RunError, match="--overwrite"):
        mine(positives, sources=neighbors(vectors), out=out, seed=1)
    assert files(out) == before
    mine(positives, sources=neighbors(vectors, k=3), out=out, settings=Settings(overwrite=True))
    assert files(out) != before


class TestWriter:
    """The journal of an unfinished run."""

    table = pa.table({"x": [1]})

    def test_other_work_is_not_taken_over(self, tmp_path: Path) -> None:
        RunWriter(tmp_path / "a", "one").add("00000", self.table)
        with pytest.raises(RunError, match="other data or other steps"):
            RunWriter(tmp_path / "a", "other")
        assert RunWriter(tmp_path / "a", "one").has("00000")
        assert not RunWriter(tmp_path / "a", "other", overwrite=True).has("00000")

    def test_a_foreign_directory_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "a.partial").mkdir()
        (tmp_path / "a.partial" / "thesis.doc").write_text("precious")
        for overwrite in (False, True):
            with pytest.raises(RunError, match="no unfinished run"):
                RunWriter(tmp_path / "a", "one", overwrite=overwrite)
        assert (tmp_path / "a.partial" / "thesis.doc").read_text() == "precious"

    def test_damaged_and_lost_parts_are_not_done(self, tmp_path: Path) -> None:
        writer = RunWriter(tmp_path / "a", "one")
        for name in ("00000", "00001", "00002"):
            writer.add(name, self.table)
        folder = tmp_path / "a.partial" / "candidates"
        (folder / "00000.parquet").unlink()
        (folder / "00001.parquet").write_bytes(b"PAR1")
        again = RunWriter(tmp_path / "a", "one")
        assert [again.has(name) for name in ("00000", "00001", "00002", "00003")] == [False, False, True, False]
        again.forget("00002")
        assert not RunWriter(tmp_path / "a", "one").has("00002")

    @pytest.mark.parametrize(
        "damage",
        [
            lambda _: b"",
            lambda whole: whole[:-1],
            lambda whole: whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
            lambda whole: whole + b"x",
            lambda _: None,
        ],
        ids=["empty", "cut short", "one bit", "too long", "gone"],
    )
    def test_a_part_damaged_after_it_was_noted_is_made_anew(
        self, tmp_path: Path, damage: Callable[[bytes], bytes | None]
    ) -> None:
        writer = RunWriter(tmp_path / "a", "one")
        writer.add("00000", self.table)
        file = tmp_path / "a.partial" / "candidates" / "00000.parquet"
        whole = file.read_bytes()
        assert writer.has("00000")
        damaged = damage(whole)
        file.unlink() if damaged is None else file.write_bytes(damaged)
        assert not writer.has("00000")
        assert not RunWriter(tmp_path / "a", "one").has("00000")
        writer.add("00000", self.table)
        assert file.read_bytes() == whole
        assert RunWriter(tmp_path / "a", "one").has("00000")

    def test_a_line_left_unfinished_is_passed_over(self, tmp_path: Path) -> None:
        journal = tmp_path / "a.partial" / "journal.jsonl"
        writer = RunWriter(tmp_path / "a", "one")
        writer.add("00000", self.table)
        whole = journal.read_bytes()
        writer.add("00001", self.table)
        for size in range(len(whole) + 1, journal.stat().st_size - 2):
            cut = journal.read_bytes()[:size]
            journal.write_bytes(cut)
            assert RunWriter(tmp_path / "a", "one").names == ["00000"]
            again = RunWriter(tmp_path / "a", "one")
            again.add("00001", self.table)
            assert RunWriter(tmp_path / "a", "one").names == ["00000", "00001"]

    def test_several_workers_add_parts_without_losing_any(self, tmp_path: Path) -> None:
        workers = [RunWriter(tmp_path / "a", "one") for _ in range(3)]
        for number in range(12):
            workers[number % 3].add(f"{number:05d}", self.table)
        assert RunWriter(tmp_path / "a", "one").names == [f"{number:05d}" for number in range(12)]

    def test_the_journal_grows_by_a_line_a_part(self, tmp_path: Path) -> None:
        writer, sizes = RunWriter(tmp_path / "a", "one"), []
        for number in range(20):
            writer.add(f"{number:05d}", self.table)
            sizes.append((tmp_path / "a.partial" / "journal.jsonl").stat().st_size)
        assert len(set(np.diff(sizes))) == 1

    @pytest.mark.parametrize("left", ["nothing", "no line", "half a line", "half a part"])
    def test_a_process_killed_while_it_began_is_no_hindrance(self, tmp_path: Path, left: str) -> None:
        partial = tmp_path / "a.partial"
        (partial / "candidates").mkdir(parents=True)
        if left != "nothing":
            line = {"no line": "", "half a line": '\n{"finge', "half a part": '\n{"fingerprint": "one"}\n'}[left]
            (partial / "journal.jsonl").write_text(line)
        if left == "half a part":
            (partial / "candidates" / ".00000.parquet.1.tmp").write_text("half")
        assert RunWriter(tmp_path / "a", "one").names == []
        assert sorted(one.name for one in partial.rglob("*")) == ["candidates", "journal.jsonl"]

    @pytest.mark.parametrize("moment", ["remove", "rename"])
    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_process_killed_at_the_very_end_can_go_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, *, overwrite: bool
    ) -> None:
        out = tmp_path / "a"
        if overwrite:
            out.mkdir()
            (out / "manifest.json").write_text("{}")
        writer = RunWriter(out, "one", overwrite=overwrite)
        writer.add("00000", self.table)
        manifest = {"schema_version": 1, "parts": writer.parts}

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Journal if moment == "remove" else Path, moment, killed)
            with pytest.raises(KeyboardInterrupt):
                writer.finish(manifest, {})
        if not overwrite:
            with pytest.raises(RunError, match="other data or other steps"):
                RunWriter(out, "other")
        again = RunWriter(out, "one", overwrite=overwrite)
        assert again.has("00000")
        again.finish(manifest, {})
        assert sorted(one.name for one in out.iterdir()) == ["candidates", "manifest.json", "timings.json"]
        assert [one.name for one in tmp_path.iterdir()] == ["a"]


class Extra(Uniform):
    """A source of somebody else with a column of its own."""

    def prepare(self, context: Context):  # type: ignore[no-untyped-def]
        """Add the length of each item's number."""
        inner = super().prepare(context)

        def propose(anchors):  # type: ignore[no-untyped-def]
            rows: Rows = inner(anchors)
            return rows.having(length=rows.item * 2)

        return propose


def test_columns_of_a_source_are_kept_even_where_random_items_fill_up() -> None:
    positives, vectors = scene()
    run = mine(positives, sources=Extra(3), encoder=vectors, filters="known", sampler="top(n=9, on_short=fill)")
    lengths = run.candidates.table.column("length").to_pylist()
    assert None in lengths
    assert len([one for one in lengths if one is not None]) == 3 * len(np.unique(run.anchors.ids))
