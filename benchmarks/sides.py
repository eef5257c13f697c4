"""One side of the comparison with the incumbent, alone in its process: ``python -m benchmarks.sides SIDE FOLDER``.

Prints one line of JSON: seconds (of the wall and of the processor), memory before and at the peak, and a digest of the
mined pairs.
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

K, NEGATIVES, MARGIN = 100, 8, 0.05
POSITIVES = 2  # the most that any anchor has; the incumbent widens its window by it
WINDOW = K + POSITIVES
CACHE = "incumbent-cache"

Pairs = Iterable[tuple[str, str]]


def memory(name: str) -> float:
    """MiB of VmRSS (now) or VmHWM (the peak). The peak of getrusage would count the parent's memory in."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(one for one in status.read_text().splitlines() if one.startswith(name))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class Watch(threading.Thread):
    """The most anonymous memory, looked up a hundred times a second: what a process holds besides mapped files."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = memory("RssAnon")
        self.done = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self.done.wait(0.01):
            self.peak = max(self.peak, memory("RssAnon"))


def incumbent(folder: Path, use_faiss: bool) -> Callable[[], Pairs]:
    """Its vectors come from its own embedding cache, filled beforehand in its own way: nothing is encoded."""
    import datasets
    import numpy as np
    import pyarrow.parquet as pq
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from sentence_transformers.util import mine_hard_negatives
    from tokenizers import Tokenizer, models

    if use_faiss:
        import faiss  # noqa: F401

    width = np.load(folder / "items.npy", mmap_mode="r").shape[1]
    word = Tokenizer(models.WordLevel({"x": 0}, "x"))
    module = StaticEmbedding(word, embedding_weights=np.zeros((1, width), np.float32))
    model = SentenceTransformer(modules=[module], device="cpu")

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("The incumbent's embedding cache was not used.")

    model.encode_document = model.encode_query = refuse

    def run() -> Pairs:
        texts, asked, pairs = (pq.read_table(folder / f"{name}.parquet") for name in ("texts", "asked", "pairs"))
        corpus = texts.column("text").to_pylist()
        questions = asked.column("text").to_pylist()
        both = list(zip(*(pairs.column(name).to_pylist() for name in ("anchor", "item")), strict=True))
        dataset = datasets.Dataset.from_dict(
            {"anchor": [questions[a] for a, _ in both], "positive": [corpus[b] for _, b in both]}
        )
        del texts, asked, pairs
        found = mine_hard_negatives(
            dataset, model, corpus=corpus, range_max=K, num_negatives=NEGATIVES, relative_margin=MARGIN,
            output_format="labeled-list", use_faiss=use_faiss, cache_folder=str(folder / CACHE), verbose=False,
        )  # fmt: skip
        columns = (found["anchor"], found["positive"])
        return ((anchor, item) for anchor, listed in zip(*columns, strict=True) for item in listed[1:])

    return run


def fill_cache(folder: Path) -> None:
    """Write the vectors where the incumbent looks for them (its keys, for a model without a name)."""
    import numpy as np
    import pyarrow.parquet as pq

    cache = folder / CACHE
    cache.mkdir(exist_ok=True)
    pairs = pq.read_table(folder / "pairs.parquet")
    asked = pq.read_table(folder / "asked.parquet").column("text").to_pylist()
    order = list(dict.fromkeys(pairs.column("anchor").to_pylist()))
    corpus = pq.read_table(folder / "texts.parquet").column("text").to_pylist()
    if len(set(corpus)) < len(corpus) or len(set(asked)) < len(asked):
        raise ValueError("The texts must differ: the incumbent knows things by their texts.")
    for name, texts, vectors in (
        ("query", [asked[row] for row in order], np.load(folder / "anchors.npy")[order]),
        ("corpus", corpus, np.load(folder / "items.npy", mmap_mode="r")),
    ):
        key = hashlib.sha256(repr(("", None, None, texts)).encode()).hexdigest()
        if not (file := cache / f"{name}_embeddings_{key}.npy").is_file():
            np.save(file, vectors)


def ours(folder: Path, filters: list[str]) -> Callable[[], Pairs]:
    """Vectors from memory-mapped files, ids and texts from Parquet; the run is written to disk as always."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.dataset
    import pyarrow.parquet as pq

    from hardneg.collection import Collection
    from hardneg.mining import mine
    from hardneg.positives import Positives
    from hardneg.sources import Neighbors

    pa.array(np.zeros(1)).to_pylist()  # pyarrow imports pandas, where there is one, on first use

    def run() -> Pairs:
        anchors, items = (Collection(pq.read_table(folder / f"{name}.parquet")) for name in ("asked", "texts"))
        pairs = pq.read_table(folder / "pairs.parquet")
        positives = Positives.from_pairs(
            anchors.ids.take(pairs.column("anchor").combine_chunks()),
            items.ids.take(pairs.column("item").combine_chunks()),
            anchors=anchors, items=items,
        )  # fmt: skip
        vectors = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("anchors", "items"))
        source = Neighbors(*vectors, k=WINDOW)
        scratch = Path(tempfile.mkdtemp(dir=folder))
        result = mine(positives, sources=source, filters=filters, sampler=f"top(n={NEGATIVES})", out=scratch / "run")
        seconds.update(json.loads((scratch / "run" / "timings.json").read_text())["seconds"])
        table = result.negatives
        mined = _texts(anchors, table.column("anchor")), _texts(items, table.column("item"))
        shutil.rmtree(scratch)
        return zip(*mined, strict=True)

    seconds = STAGES
    return run


STAGES: dict[str, float] = {}


def _texts(collection: Any, ids: Any) -> list[str]:
    found = collection.positions(ids)
    return [str(one) for one in collection.texts.take(found.tolist()).to_pylist()]


SIDES: dict[str, Callable[[Path], Callable[[], Pairs]]] = {
    "incumbent": lambda folder: incumbent(folder, use_faiss=False),
    "incumbent-faiss": lambda folder: incumbent(folder, use_faiss=True),
    "hardneg": lambda folder: ours(
        folder, ["known(shared=false)", f"rank(within={WINDOW})", f"margin(relative={MARGIN})"]
    ),
    "hardneg-defaults": lambda folder: ours(
        folder, ["known", "duplicates(similarity=0.97)", f"margin(relative={MARGIN})"]
    ),
}


def main() -> None:
    side, folder = sys.argv[1], Path(sys.argv[2])
    run = SIDES[side](folder)
    before, private, watch = memory("VmRSS"), memory("RssAnon"), Watch()
    watch.start()
    began, worked = time.perf_counter(), time.process_time()
    pairs = run()
    seconds, cpu, peak = time.perf_counter() - began, time.process_time() - worked, memory("VmHWM")
    watch.done.set()
    mined = sorted(set(pairs))
    (folder / f"mined-{side}.json").write_text(json.dumps(mined))
    cost = {"seconds": seconds, "cpu_seconds": cpu, "before_mib": before, "peak_mib": peak}
    cost["private_mib"] = watch.peak - private
    print(json.dumps({**cost, "pairs": len(mined), "stages": STAGES}))


if __name__ == "__main__":
    main()
