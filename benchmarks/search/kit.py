"""What all parts share: fair timing, and results that are kept so that the page can be made anew."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from hardneg.parallel import threads
from hardneg.search import Constraints, Engine, Hits, Search

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Sides = Mapping[str, Callable[[], object]]

PACKAGES = ("hardneg", "numpy", "faiss-cpu", "usearch", "scikit-learn", "sentence-transformers", "torch")


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of the work."""
    began = time.perf_counter()
    out = work()
    return time.perf_counter() - began, out


def best(sides: Sides, repeats: int, label: str = "") -> dict[str, float]:
    """The least seconds of each side. Sides alternate, back and forth, so that all meet the same machine."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(repeats):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            found[name].append(timed(sides[name])[0])
            say(f"{label:>12} {name:<44} {found[name][-1]:9.2f} s")
    return {name: min(seconds) for name, seconds in found.items()}


def prepared(
    engine: Engine, anchors: Floats, items: Floats, k: int, constraints: Constraints | None = None
) -> tuple[float, Search]:
    """Seconds to make an engine ready, and its search."""
    free = Constraints.none(len(anchors), len(items)) if constraints is None else constraints
    return timed(lambda: engine.prepare(anchors, items, k, "cosine", free))


def found_share(found: Ints, truth: Hits) -> float:
    """The share of the true neighbours among those found, shape ``(n, k)``; -1 stands for none."""
    rows = np.repeat(np.arange(len(found)), found.shape[1])
    return float(truth.items.contains(rows, found.ravel()).sum() / len(truth.items.values))


def as_table(hits: Hits, k: int) -> Ints:
    """The items of each anchor, shape ``(n, k)``, -1 where there are fewer."""
    lengths = hits.items.lengths()
    out = np.full((len(lengths), k), -1, np.int64)
    out[np.arange(k) < lengths[:, None]] = hits.items.values
    return out


def save(part: str, options: Namespace, figures: dict[str, Any]) -> dict[str, Any]:
    """Keep the figures of a part in the work folder, with what is needed to read them.

    Those from the short texts are kept apart: the page is not made from them.
    """
    words = [str(one) for one in options.sizes]
    for name in ("engines", "anchors", "short", "repeat", "device"):
        value, usual = getattr(options, name), options.usual[name]
        if value != usual:
            listed = value if isinstance(value, list) else [] if value is True else [value]
            words += [f"--{name}", *map(str, listed)]
    about = {
        "command": " ".join(["python -m benchmarks.search", part, *words]),
        "machine": machine.described(PACKAGES),
        "threads": threads(),
        "load": options.load,
        "repeats": options.repeat,
    }
    out = {**about, **figures}
    where = _figures(options.work, part, short=options.short)
    where.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
    return out


def load(work: Path, part: str, *, short: bool = False) -> dict[str, Any] | None:
    """The figures of a part; None where it has not been measured."""
    where = _figures(work, part, short=short)
    out: dict[str, Any] | None = json.loads(where.read_text(encoding="utf-8")) if where.is_file() else None
    return out


def _figures(work: Path, part: str, *, short: bool) -> Path:
    return work / f"search-{part}{'-short' * short}.json"


def opening(saved: Mapping[str, Any]) -> str:
    """How a part was run, and on what."""
    runs = "one run" if saved["repeats"] == 1 else f"the fastest of {saved['repeats']} runs, sides in turn"
    return (
        f"`{saved['command']}`: {saved['machine']} {saved['threads']} threads; {runs}; "
        f"load {saved['load']:.1f} at the start."
    )


def use_threads() -> None:
    """Let the peers use as many threads as hardneg does."""
    import faiss

    faiss.omp_set_num_threads(threads())
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads())
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
