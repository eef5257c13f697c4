"""The same run gives the same bytes: with other threads and blocks, after damage, and after being killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.worlds import files

ROOT = Path(__file__).resolve().parents[2]

# Arguments: the output, anchors and items in a block, anchors in a part, seconds to wait for each part.
MINE = """
import sys, time
import numpy as np
from hardneg import mining, ledger
from hardneg.search import Exact, auto
from hardneg.writing import RunWriter
from tests.worlds import scene, neighbors as given

out, anchors, items, part, wait = sys.argv[1], *map(float, sys.argv[2:6])
auto.Exact = lambda **_: Exact(int(anchors), int(items))
mining.PART = int(part)
add = RunWriter.add
def slow(self, name, table):
    add(self, name, table)
    time.sleep(wait)
RunWriter.add = slow
positives, vectors = scene(3, 150, 400)
wide = np.random.default_rng(0).normal(size=(5, 96)).astype(np.float32)
vectors = type(vectors)(vectors.anchors @ wide, vectors.items @ wide)
print("ready", flush=True)
mining.mine(
    positives,
    sources=[given(vectors, 30), "lexical(k=10)", "uniform(k=5)"],
    filters=["known", "duplicates(similarity=0.99)", "margin(relative=0.05)", "agreement(reciprocal=2)"],
    sampler=["tempered(n=24, on_short=fill)", "caps(per_item=9)", "quotas(hard=0.1)"],
    seed=7,
    out=out,
)
"""


def start(
    out: Path, *, blocks: tuple[int, int] = (512, 8192), threads: int = 2, wait: float = 0
) -> subprocess.Popen[str]:
    many = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
    arguments = [str(out), *map(str, blocks), "16", str(wait)]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-c", MINE, *arguments],
        env={**os.environ, **many, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole") / "run"
    finished(start(out))
    found = files(out)
    assert {"negatives.parquet", "manifest.json", "candidates/00009.parquet"} <= set(found)
    assert any(name.startswith("candidates/fill-") for name in found)
    return found


@pytest.mark.parametrize(("threads", "blocks"), [(1, (512, 8192)), (2, (7, 33)), (1, (1, 400))])
def test_threads_and_blocks(whole: dict[str, bytes], tmp_path: Path, threads: int, blocks: tuple[int, int]) -> None:
    finished(start(tmp_path / "run", threads=threads, blocks=blocks))
    assert files(tmp_path / "run") == whole


@pytest.mark.parametrize("seed", range(10))
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(whole: dict[str, bytes], tmp_path: Path, seed: int) -> None:
    """Killed at random moments, and in between a part is lost and another damaged."""
    out, chance = tmp_path / "run", random.Random(seed)
    process = start(out, wait=0.02)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(chance.uniform(0, 0.6))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    parts = sorted((tmp_path / "run.partial" / "candidates").glob("*.parquet"))
    if seed % 2 and len(parts) > 1:
        parts[0].unlink()
        parts[-1].write_bytes(parts[-1].read_bytes()[:-7])
    if not out.exists():
        finished(start(out))
    assert files(out) == whole
    assert not (tmp_path / "run.partial").exists()


@pytest.mark.parametrize("moment", ["after the last part", "after filling up", "before it got its name"])
def test_killed_late(whole: dict[str, bytes], tmp_path: Path, moment: str) -> None:
    stop = {
        "after the last part": "mining.choose = lambda *a: os.kill(os.getpid(), 9)",
        "after filling up": "RunWriter.tables = lambda *a: os.kill(os.getpid(), 9)",
        "before it got its name": "import pathlib; pathlib.Path.rename = lambda *a: os.kill(os.getpid(), 9)",
    }[moment]
    code = MINE.replace('print("ready", flush=True)', f"import os; {stop}")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    arguments = [sys.executable, "-c", code, str(tmp_path / "run"), "512", "8192", "16", "0"]
    killed = subprocess.run(arguments, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "run.partial").is_dir()
    finished(start(tmp_path / "run"))
    assert files(tmp_path / "run") == whole


def test_a_part_made_by_other_hands_is_made_anew(whole: dict[str, bytes], tmp_path: Path) -> None:
    """A finished run is made unfinished again, with one part of another run in it."""
    process = start(tmp_path / "run", wait=0.05)
    while not (tmp_path / "run.partial" / "candidates" / "00003.parquet").exists() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = tmp_path / "run.partial" / "candidates"
    shutil.copyfile(folder / "00001.parquet", folder / "00000.parquet")
    finished(start(tmp_path / "run"))
    assert files(tmp_path / "run") == whole
