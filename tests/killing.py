"""Start minings, kill TIMES of them, start them again: ``python -m tests.killing FOLDER TIMES SEED``.

Prints a line for each: how far it was each time it was killed, and whether it ended with the bytes of one left alone.

Processes are forked from one that has everything loaded, so that a start costs nothing and fifty are soon done.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from tests.worlds import files, scene

from hardneg import mining
from hardneg.encode import EmbeddingCache, PairScoreCache
from hardneg.positives import Positives

PART = 40
ENCODER = "function(tests.killing:embed, version=1, batch_size=256)"
FILTERS = [
    "duplicates(similarity=0.99)",
    "margin(relative=0.01, reference=max)",
    "rescore(model='function(tests.killing:shared, version=1, batch_size=256)', ceiling=3.5, within=3)",
]
SAMPLER = ["tempered(n=4, on_short=fill)", "caps(per_item=12)", "quotas(hard=0.3)"]


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """A bag of words and pairs of words, folded into 24 numbers; slow, so that there is time to be killed."""
    time.sleep(0.015)
    out = np.zeros((len(texts), 24), np.float32)
    for row, text in enumerate(texts):
        words = text.split()
        for word in [*words, *map(" ".join, pairwise(words))]:
            out[row, crc32(word.encode()) % 24] += 1 + len(word) / 16
    return out


def shared(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """How many words two texts share."""
    return [float(len(set(one.split()) & set(other.split()))) for one, other in pairs]


def mine(positives: Positives, folder: Path) -> None:
    mining.mine(
        positives, sources=["neighbors(k=40)", "uniform(k=3)"], filters=FILTERS, sampler=SAMPLER, encoder=ENCODER,
        seed=5, out=folder / "run",
        settings=mining.Settings(EmbeddingCache(folder / "vectors"), PairScoreCache(folder / "scores")),
    )  # fmt: skip


def started(positives: Positives, folder: Path) -> int:
    """The number of a new process that mines."""
    pid = os.fork()
    if pid:
        return pid
    try:
        mine(positives, folder)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def ended(pid: int) -> bool:
    """Wait for a process: True if it was done, False if it was killed."""
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise RuntimeError("A mining failed; its errors stand above.")
    return True


def progress(folder: Path) -> str:
    """How far a killed mining got."""
    partial = folder / "run.partial"
    if not (partial / "journal.jsonl").exists():
        return "naming" if (partial / "manifest.json").exists() else "encoding"
    if (partial / "negatives.parquet").exists() or (partial / "positives.parquet").exists():
        return "writing"
    parts = list(partial.glob("candidates/*.parquet"))
    return "sampling" if any(one.stem.startswith("fill") for one in parts) else f"{len(parts)} parts"


def undisturbed(positives: Positives, folder: Path) -> float:
    """Mine without being killed; the seconds it took."""
    began = time.perf_counter()
    ended(started(positives, folder))
    return time.perf_counter() - began


def disturbed(positives: Positives, folder: Path, moments: Iterable[float]) -> list[str]:
    """Mine, being killed after each of ``moments`` seconds, then go on to the end; how far it was each time."""
    kills: list[str] = []
    for moment in moments:
        pid = started(positives, folder)
        time.sleep(moment)
        os.kill(pid, signal.SIGKILL)
        if ended(pid):
            return kills
        kills.append(progress(folder))
    ended(started(positives, folder))
    return kills


def main(folder: Path, times: int, seed: int) -> None:
    mining.PART = PART
    positives, _ = scene(3, 160, 500)
    chance = random.Random(seed)
    undisturbed(positives, folder / "whole")
    duration = min(undisturbed(positives, folder / f"again {one}") for one in range(2))
    whole = files(folder / "whole" / "run")
    killed = 0
    while killed < times:
        moments = [(killed + chance.random()) / times * duration]
        if chance.random() < 0.2:  # and soon after it went on
            moments.append(chance.random() * duration / 3)
        place = folder / "disturbed"
        kills = disturbed(positives, place, moments)
        same = files(place / "run") == whole and {one.name for one in place.iterdir()} == {"run", "vectors", "scores"}
        print(json.dumps({"kills": kills, "same": same}), flush=True)
        killed += len(kills[:1])
        duration *= 1.02 if kills else 0.92  # how long it takes hangs on what else the machine does
        shutil.rmtree(place)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
