"""The account of a run: what went in, what became of it, what it cost."""

from __future__ import annotations

import json
import platform
import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b, sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg import schema
from hardneg.context import Vectors
from hardneg.matrix import Matrix, blocks
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged
from hardneg.samplers import Chooser
from hardneg.steps import Steps
from hardneg.table import Array, Rows, Verdict, names_of

__all__ = ["Clock", "count_verdicts", "fingerprint", "inputs", "ledger", "manifest", "package_version", "shortage"]


def package_version(package: str) -> str | None:
    """The installed version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def inputs(positives: Positives, vectors: Vectors) -> dict[str, Any]:
    """Sizes and content hashes of all that a result depends on besides the steps."""
    relations = (positives.positive, positives.negative, positives.ignored)
    arrays = [part for one in relations for part in (one.offsets, one.values)]
    return {
        "anchors": {"count": len(positives.anchors), "hash": _table_hash(positives.anchors.table)},
        "items": {"count": len(positives.items), "hash": _table_hash(positives.items.table)},
        "relations": {
            "positive": len(positives.positive.values),
            "negative": len(positives.negative.values),
            "ignored": len(positives.ignored.values),
            "hash": _hash(*arrays, *_codes(positives), positives.own, positives.barred),
        },
        "vectors": {
            "dimension": vectors.items.shape[1],
            "similarity": vectors.similarity,
            "hash": _hash(vectors.anchors, vectors.items),
        },
    }


def _codes(positives: Positives) -> list[Array]:
    """The classes of anchors and items, and what is predicted of them, as plain arrays."""
    if positives.classes is None:
        return []
    sides = [Ragged.from_codes(one) for one in (positives.classes.anchors, positives.classes.items)]
    closed = np.array([positives.classes.closed], np.int64)
    found = positives.predictions
    given = [] if found is None else [found.probabilities, found.held_out]
    return [closed, *(part for one in sides for part in (one.offsets, one.values)), *given]


def fingerprint(steps: Mapping[str, Any], seed: int, inputs: Mapping[str, Any]) -> str:
    """One hash of everything that decides a run's bytes."""
    what = {"steps": steps, "seed": seed, "inputs": inputs, "hardneg": package_version("hardneg")}
    return sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def count_verdicts(rows: Rows, reasons: Sequence[str]) -> Counter[tuple[str, str]]:
    """How many rows got each verdict for each reason."""
    verdicts = names_of(Verdict)
    counts = np.bincount(rows["verdict"].astype(np.int64) * len(reasons) + rows["reason"])
    return Counter(
        {(verdicts[code // len(reasons)], reasons[code % len(reasons)]): int(n) for code, n in enumerate(counts) if n}
    )


def ledger(counts: Counter[tuple[str, str]], sampled: int) -> dict[str, Any]:
    """The closing account: candidates = dropped + suspect + kept_not_sampled + sampled.

    >>> ledger(Counter({("keep", ""): 5, ("drop", "known.self"): 1}), 3)["kept_not_sampled"]
    2
    """
    by_verdict = {
        name: {reason: n for (verdict, reason), n in sorted(counts.items()) if verdict == name}
        for name in ("drop", "suspect")
    }
    kept = sum(n for (verdict, _), n in counts.items() if verdict == "keep")
    return {
        "candidates": counts.total(),
        "dropped": sum(by_verdict["drop"].values()),
        "suspect": sum(by_verdict["suspect"].values()),
        "kept_not_sampled": kept - sampled,
        "sampled": sampled,
        "reasons": by_verdict["drop"] | by_verdict["suspect"],
    }


def shortage(lacking: IntArray, positives: Positives, chooser: Chooser) -> dict[str, Any]:
    """Which anchors with a positive got fewer negatives than wanted; the first twenty by name."""
    ids, wanted = positives.anchors.ids, chooser.wanted(positives.anchors)
    short = np.flatnonzero((lacking > 0) & (positives.positive.lengths() > 0))
    return {
        "policy": chooser.on_short,
        "anchors": len(short),
        "missing": int(lacking[short].sum()),
        "without_any": int((lacking[short] >= wanted[short]).sum()),
        "examples": [
            {"anchor": ids[int(row)].as_py(), "sampled": int(wanted[row] - lacking[row])} for row in short[:20]
        ],
    }


def manifest(
    steps: Steps, seed: int, about: Mapping[str, Any], counts: Counter[tuple[str, str]], sampled: int,
    parts: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """What ``manifest.json`` holds: the same for the same mining, so no times and no dates."""
    return {
        "schema_version": schema.VERSION,
        "hardneg_version": package_version("hardneg"),
        "steps": steps.texts(),
        "seed": seed,
        "wanted": steps.plan.chooser.n,
        "reference": steps.reference,
        "source_names": steps.source_names,
        **about,
        "ledger": ledger(counts, sampled),
        "parts": list(parts),
    }


class Clock:
    """Seconds by stage, and the most memory the process has held."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of this block to a stage."""
        began = time.perf_counter()
        yield
        self._stages[name] = self._stages.get(name, 0.0) + time.perf_counter() - began

    def report(self) -> dict[str, Any]:
        """What ``timings.json`` holds."""
        return {
            "seconds": {**{k: round(v, 3) for k, v in self._stages.items()}, "all": round(self.elapsed, 3)},
            "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "machine": {"system": platform.system(), "processor": platform.machine()},
            "versions": {"python": platform.python_version()}
            | {name: package_version(name) for name in ("numpy", "pyarrow", "bm25s", "wordllama")},
        }

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began


def _hash(*arrays: Matrix) -> str:
    """A hash of types, shapes and numbers: the same in memory and on disk."""
    hasher = blake2b(digest_size=16)
    for array in arrays:
        hasher.update(repr((array.shape, str(array.dtype))).encode())
        for _, block in blocks(array):
            hasher.update(np.ascontiguousarray(block).view(np.uint8).reshape(-1).data)
    return hasher.hexdigest()


def _table_hash(table: pa.Table) -> str:
    """A hash of the content: the same whatever the chunks."""
    hasher = blake2b(digest_size=16)
    for name in table.column_names:
        hasher.update(f"{name}:{table.schema.field(name).type}".encode())
        column = table.column(name)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            _hash_texts(hasher, column)
            continue
        for value in column:
            hasher.update(repr(value.as_py()).encode("utf-8", "surrogatepass") + b"\0")
    return hasher.hexdigest()


def _hash_texts(hasher: Any, column: pa.ChunkedArray) -> None:
    """Which are missing, all lengths, then all bytes: enough to tell any two columns apart."""
    hasher.update(np.packbits(column.is_null().to_numpy()).data)
    hasher.update(pc.fill_null(pc.binary_length(column), 0).cast(pa.int64()).to_numpy().data)
    for chunk in column.chunks:
        plain = pc.fill_null(chunk, "").cast(pa.large_string())
        _, offsets, data = plain.buffers()
        ends = np.frombuffer(offsets, np.int64)[plain.offset : plain.offset + len(plain) + 1]
        if data is not None and len(plain):
            hasher.update(memoryview(data)[ends[0] : ends[-1]])
