"""The command line as a user meets it: real processes, real files, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import hardneg as hn
from hardneg.io.readers import ReadOptions

DEMO = hn.demo_data()


def hardneg(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``hardneg`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "hardneg", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env=os.environ | environment, timeout=300, check=False,
    )  # fmt: skip


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def failed(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ends with one clear message, never a traceback."""
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def content(run: Path, *, manifest: bool = True) -> dict[str, bytes]:
    names = [*sorted(run.glob("candidates/*.parquet")), run / "negatives.parquet", run / "positives.parquet"]
    names += [run / "anchors.parquet", run / "items.parquet", *([run / "manifest.json"] if manifest else [])]
    return {str(path.relative_to(run)): path.read_bytes() for path in names}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    out = tmp_path_factory.mktemp("runs") / "a"
    succeeded(hardneg("mine", DEMO, "-o", out, "--sampler", "top(n=4)", "--ignore-grade", "-1", "--cache", cache))
    return out


def test_the_demo_catches_what_was_planted(tmp_path: Path) -> None:
    text = succeeded(hardneg("demo", "-o", tmp_path / "demo"))
    rows = {line[:40].strip(): line[50:].split() for line in text.splitlines()}
    planted, dropped, suspect, mined = (int(x) for x in rows["the positive again, under another id"][:4])
    assert planted == dropped > 0
    assert suspect == mined == 0
    planted, dropped, suspect, mined = (int(x) for x in rows["the positive, a word or two changed"][:4])
    assert planted == suspect > 0
    assert mined == 0
    mined_look_alikes = int(rows["alike, but no answer: a true hard negati"][3])
    assert mined_look_alikes > 50
    assert (tmp_path / "demo" / "report.html").stat().st_size > 10_000


def test_a_run_holds_what_it_says(made: Path) -> None:
    run = hn.Run.open(made)
    assert {path.name for path in made.iterdir()} == {
        "anchors.parquet", "candidates", "items.parquet", "manifest.json", "negatives.parquet", "plane.parquet",
        "positives.parquet", "recipe.toml", "report.html", "timings.json",
    }  # fmt: skip
    ledger = run.ledger
    assert ledger["candidates"] == sum(ledger[name] for name in ("dropped", "suspect", "kept_not_sampled", "sampled"))
    assert ledger["candidates"] == run.candidates.table.num_rows
    assert ledger["sampled"] == run.negatives.num_rows
    assert run.manifest["data"]["files"].keys() == {"corpus.jsonl", "queries.jsonl", "train.tsv"}


def test_flags_python_and_a_recipe_are_three_spellings_of_the_same(made: Path, tmp_path: Path, cache: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
        [data]
        path = "{os.path.relpath(DEMO, tmp_path)}"
        ignore = [-1]

        [mine]
        sampler = "top(n=4)"
        """
    )
    succeeded(hardneg("mine", recipe, "-o", tmp_path / "b", "--cache", cache))
    reading = hn.read(DEMO, options=ReadOptions(ignore=(-1,)))
    hn.mine(reading.positives, sampler="top(n=4)", out=tmp_path / "c")
    assert content(tmp_path / "b") == content(made)
    assert content(tmp_path / "c", manifest=False) == content(made, manifest=False)


def test_a_run_is_repeated_by_the_recipe_it_wrote(made: Path, tmp_path: Path, cache: Path) -> None:
    succeeded(hardneg("mine", made / "recipe.toml", "-o", tmp_path / "again", "--cache", cache))
    assert content(tmp_path / "again") == content(made)


def test_the_number_of_threads_makes_no_difference(made: Path, tmp_path: Path) -> None:
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        environment: dict[str, Any] = dict.fromkeys(names, threads)
        succeeded(hardneg("mine", made / "recipe.toml", "-o", tmp_path / threads, "--no-cache", **environment))
        assert content(tmp_path / threads) == content(made)


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path) -> None:
    text = succeeded(hardneg("mine", DEMO, "--dry-run", "-o", tmp_path / "x", cwd=tmp_path))
    assert "neighbors(k=100)" in text
    assert "MiB" in text
    assert not list(tmp_path.iterdir())


def test_refilter_needs_no_data_and_no_encoder(made: Path, tmp_path: Path) -> None:
    text = succeeded(hardneg("refilter", made, "--filter", "margin(relative=0.2)", "-o", tmp_path / "b"))
    assert "margin.relative" in text
    before, after = hn.Run.open(made).ledger, hn.Run.open(tmp_path / "b").ledger
    assert after["candidates"] == before["candidates"]
    assert after["suspect"] > before["suspect"]


def test_show(made: Path) -> None:
    assert "duplicates(similarity=0.97)" in succeeded(hardneg("show", made))
    text = succeeded(hardneg("show", made, "--anchor", "q001"))
    assert "Positives" in text
    assert "sampled" in text
    assert "came up short" in succeeded(hardneg("show", made, "--short"))
    failed(hardneg("show", made, "--anchor", "nobody"), "There is no anchor 'nobody'")


def test_an_export_trains(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "train.jsonl"
    succeeded(hardneg("export", made, "--format", "flagembedding", "-o", out))
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert sum(len(line["neg"]) for line in lines) == hn.Run.open(made).ledger["sampled"]


def test_an_existing_run_is_not_touched(made: Path, tmp_path: Path, cache: Path) -> None:
    before = content(made)
    failed(hardneg("mine", DEMO, "-o", made), "exists already", "--overwrite")
    assert content(made) == before
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    failed(hardneg("mine", DEMO, "-o", tmp_path / "run"), "exists already")
    failed(hardneg("mine", DEMO, "-o", tmp_path / "run", "--overwrite"), "is no run")
    assert (tmp_path / "run" / "thesis.txt").read_text() == "years of work"
    succeeded(hardneg("mine", DEMO, "-o", tmp_path / "new", "--cache", cache))
    succeeded(hardneg("mine", DEMO, "-o", tmp_path / "new", "--cache", cache, "--overwrite"))


SLOW = """
import time
import numpy as np
from hardneg.encode import WordLlama

words = WordLlama()


def encode(texts):
    time.sleep(0.25)
    return words.encode(texts, "item")
"""


@pytest.fixture
def slow(tmp_path: Path) -> list[object]:
    (tmp_path / "slow.py").write_text(SLOW)
    encoder = 'function("slow:encode", version="1", batch_size=16)'
    return ["mine", DEMO, "--encoder", encoder, "--cache", tmp_path / "cache"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_goes_on_where_it_was(slow: list[object], tmp_path: Path, sent: signal.Signals) -> None:
    command = [sys.executable, "-m", "hardneg", *map(str, slow), "-o", str(tmp_path / "run")]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path)
    time.sleep(4)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (tmp_path / "run").exists()
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert "Stopped" in errors
        assert "Traceback" not in errors
    succeeded(hardneg(*slow, "-o", tmp_path / "run", cwd=tmp_path, PYTHONPATH=str(tmp_path)))
    succeeded(hardneg("mine", DEMO, "-o", tmp_path / "straight", "--no-cache"))
    stopped, straight = content(tmp_path / "run", manifest=False), content(tmp_path / "straight", manifest=False)
    assert stopped == straight


def test_an_unfinished_run_of_other_steps_is_not_mixed_in(tmp_path: Path, cache: Path) -> None:
    partial = tmp_path / "run.partial"
    partial.mkdir()
    (partial / "journal.jsonl").write_text('{"fingerprint": "another"}\n')
    failed(hardneg("mine", DEMO, "-o", tmp_path / "run", "--cache", cache), "unfinished run of other")
    failed(hardneg("show", partial), "is not a run")
    succeeded(hardneg("mine", DEMO, "-o", tmp_path / "run", "--cache", cache, "--overwrite"))


def mounted(folder: Path, options: str) -> None:
    """Mount a small file system, or skip with a word."""
    folder.mkdir()
    result = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if result.returncode:
        pytest.skip(f"no file system can be mounted here: {result.stderr.strip()}")


def test_a_full_disk(tmp_path: Path, cache: Path) -> None:
    disk = tmp_path / "disk"
    mounted(disk, "size=200k")
    try:
        failed(hardneg("mine", DEMO, "-o", disk / "run", "--cache", cache), "The disk is full", "goes on where it was")
        assert not (disk / "run").exists()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        succeeded(hardneg("mine", DEMO, "-o", disk / "run", "--cache", cache))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_read_only_disk(tmp_path: Path, cache: Path) -> None:
    disk = tmp_path / "disk"
    mounted(disk, "ro,size=1m")
    try:
        failed(hardneg("mine", DEMO, "-o", disk / "run", "--cache", cache), "read-only", "another place")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_output_below_a_file(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "file").write_text("")
    failed(hardneg("mine", DEMO, "-o", tmp_path / "file" / "run", "--cache", cache), "A part of this path is a file")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--filter", "margn(relative=0.1)"], ["no filter 'margn'", "Did you mean 'margin'"]),
        (["--filter", "margin(relativ=0.1)"], ["no option 'relativ'", "relative"]),
        (["--filter", "margin(relative=1.5)"], ["The 'relative' must be in [0, 1). Got 1.5."]),
        (["--filter", "margin(relative=often)"], ["The 'margin.relative' must be a number or none. Got often."]),
        (["--filter", "margin(relative=0.1"], ["a ')' is missing"]),
        (["--sampler", "caps(per_item=3)"], ["exactly one of top, band, tempered and uniform"]),
        (["--sampler", "top(n=0)"], ["The 'n' must be at least 1. Got 0."]),
        (["--source", "os:system(ls)"], ["is no source"]),
        (["--encoder", "wordllama(dim=100)"], ["dim", "100"]),
        (["--encoder", "./no/such/model"], ["no/such/model"]),
        (["--split", "test"], ["no split 'test'", "train"]),
        (["--grade", "good=high"], ["must stand for a number"]),
        (["--format", "pairs"], []),
        (["--format", "datasets"], ["no folder that Dataset.save_to_disk wrote", "leave --format out"]),
        (["--item-vectors", "v.npy"], ["go together"]),
        (["--item-vectors", "v.npy", "--anchor-vectors", "v.npy", "--encoder", "wordllama"], ["Leave --encoder out"]),
    ],
)
def test_a_wrong_option_says_what_is_right(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    failed(hardneg("mine", DEMO, "-o", tmp_path / "run", "--no-cache", *arguments), "hardneg: ", *words)
    assert not (tmp_path / "run").exists()


def test_a_place_where_nothing_can_be_made(tmp_path: Path) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    failed(hardneg("mine", DEMO, "-o", "/proc/hardneg/run", cwd=tmp_path), "Cannot write", "another place")


def test_a_pipe_is_not_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pairs.jsonl")
    writer = subprocess.Popen(["/bin/sh", "-c", f"echo '{{}}' > {tmp_path / 'pairs.jsonl'}"])
    try:
        failed(
            hardneg("mine", tmp_path / "pairs.jsonl", "-o", tmp_path / "run"), "This is a pipe", "Write it to a file"
        )
    finally:
        writer.kill()  # nobody opens the pipe, so it would wait for ever
        writer.wait(timeout=60)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pairs.jsonl", b'{"query": "a", "positive": "b"}\n{"query": "c", ', ["line 2"]),
        ("pairs.jsonl", b'{"query": "a", "positive": "\xff"}\n', ["UTF-8", "line 1"]),
        ("pairs.jsonl", b'{"query": "a", "answr": "b"}\n', ["column"]),
        ("pairs.csv", b"query,positive\n", []),
        ("pairs.parquet", b"PAR1 and then nothing", ["pairs.parquet"]),
        ("pairs.jsonl.gz", b"\x1f\x8b\x08\x00", ["pairs.jsonl.gz"]),
        ("notes.txt", b"just some words\n", ["--format"]),
        ("pairs.jsonl", b'{"query": "a\n"}\n', ["The JSON is broken (Invalid control character, character 13)"]),
        ("empty.jsonl", b"", []),
        ("recipe.toml", b"[data\n", ["recipe.toml"]),
        ("recipe.toml", b'[data]\npath = "x"\nsplits = "train"\n', ["no 'splits' in [data]"]),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, text: bytes, words: list[str]) -> None:
    (tmp_path / name).write_bytes(text)
    failed(hardneg("mine", tmp_path / name, "-o", tmp_path / "run", "--no-cache"), name, *words)


def test_vectors_that_came_with_the_data(made: Path, tmp_path: Path) -> None:
    import numpy as np

    run = hn.Run.open(made)
    rng = np.random.default_rng(0)
    data = tmp_path / "pairs.jsonl"
    pairs = list(zip(*(run.relations.column(name).to_pylist() for name in ("anchor", "item")), strict=True))[:20]
    texts = dict(zip(run.items.ids.to_pylist(), run.items.texts.to_pylist(), strict=True))  # type: ignore[union-attr]
    lines = [{"anchor_id": a, "anchor": f"text {a}", "positive_id": i, "positive": texts[i]} for a, i in pairs]
    data.write_text("\n".join(map(json.dumps, lines)))
    for side, ids in enumerate(("anchor", "item")):
        names = list(dict.fromkeys(pair[side] for pair in pairs))
        np.savez(tmp_path / f"{ids}.npz", ids=np.array(names), vectors=rng.normal(size=(len(names), 8)).astype("f4"))
    vectors = ["--anchor-vectors", tmp_path / "anchor.npz", "--item-vectors", tmp_path / "item.npz"]
    succeeded(hardneg("mine", data, *vectors, "-o", tmp_path / "run"))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["encoder"] == "vectors"
    assert manifest["inputs"]["vectors"]["dimension"] == 8


def test_the_negatives_are_plain_parquet(made: Path) -> None:
    table = pq.read_table(made / "negatives.parquet")
    assert table.column_names == [
        "anchor", "item", "score", "rank", "source", "source_score", "positive_score", "grade",
    ]  # fmt: skip
