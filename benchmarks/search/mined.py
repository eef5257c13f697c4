"""One mining from vectors on disk, alone in its process: ``python -m benchmarks.search.mined ITEMS ANCHORS PAIRS K``.

Prints one line of JSON: seconds, and memory before and at the peak.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.sides import Watch, memory


def ids(letter: str, count: int) -> pa.Array:
    """So many ids, as text."""
    return pc.binary_join_element_wise(letter, pa.array(np.arange(count)).cast(pa.string()), "")


def main() -> None:
    items_file, anchors_file, pairs_file = map(Path, sys.argv[1:4])
    import bm25s  # noqa: F401
    import pandas  # noqa: F401

    import hardneg as hn
    from hardneg.io.readers import read_vectors
    from hardneg.search import Exact  # noqa: F401
    from hardneg.sources import Neighbors

    pa.array(np.zeros(1)).to_pylist()
    np.zeros((64, 64), np.float32) @ np.zeros((64, 64), np.float32)
    before, private, watch = memory("VmRSS"), memory("RssAnon"), Watch()
    watch.start()
    began = time.perf_counter()
    sizes = [np.load(one, mmap_mode="r").shape[0] for one in (anchors_file, items_file)]
    anchors, items = (hn.Collection.of(ids(*one)) for one in zip("qd", sizes, strict=True))
    own = np.load(pairs_file)
    positives = hn.Positives.from_pairs(anchors.ids, items.ids.take(own), anchors=anchors, items=items)
    sides = (read_vectors(anchors_file, anchors, "anchor"), read_vectors(items_file, items, "item"))
    with tempfile.TemporaryDirectory(dir=items_file.parent) as scratch:
        out = Path(scratch) / "run"
        run = hn.mine(positives, sources=Neighbors(*sides, k=int(sys.argv[4])), out=out)
        seconds, peak = time.perf_counter() - began, memory("VmHWM")
        written = sum(one.stat().st_size for one in out.rglob("*") if one.is_file()) / 2**20
    watch.done.set()
    found = {
        "seconds": seconds, "before_mib": before, "peak_mib": peak, "private_mib": watch.peak - private,
        "maxrss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "candidates": run.ledger["candidates"], "sampled": run.ledger["sampled"], "written_mib": written,
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
