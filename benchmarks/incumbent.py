"""hardneg and sentence-transformers' ``mine_hard_negatives`` side by side: seconds, peak memory, and the same answer.

    python -m benchmarks.incumbent --docs 5000 50000

Both sides get the same vectors, texts and settings, two threads, and a process of their own. Nothing is encoded:
the incumbent finds its vectors in its own ``cache_folder``, filled beforehand; hardneg maps them from a file. Time
runs from reading the inputs to the mined negatives, imports left out; for hardneg that includes writing the run (every
candidate with its verdict) to disk. Memory is the most that the process held, less what it held after its imports.
Pages of a mapped file count as held; private memory leaves them out. Runs alternate; the fastest of the repeats and
their middle memory count, since other work on the machine only ever adds time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, sides, vectors
from benchmarks.texts import ROOT

ANCHORS = {5_000: 2_000}  # of so many documents; 5,000 for all others
PACKAGES = ("hardneg", "sentence-transformers", "torch", "faiss-cpu", "datasets", "numpy", "pyarrow")
NAMES = {
    "incumbent": "incumbent",
    "incumbent-faiss": "incumbent, FAISS",
    "hardneg": "hardneg, the same settings",
    "hardneg-defaults": "hardneg, default filters",
}
HEAD = (
    "documents", "side", "seconds", "CPU s", "peak MiB", "private MiB", "before MiB", "time ratio", "memory ratio",
    "negatives",
)  # fmt: skip


def measured(side: str, folder: Path, threads: int, limit: float) -> dict[str, Any]:
    """What one side prints, from a process of its own; ``failed`` where it did not end well."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads)) | {"TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", "benchmarks.sides", side, str(folder)]
    try:
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return {"side": side, "failed": f"stopped after {limit:.0f} s"}
    if done.returncode:
        killed = done.returncode in (-9, 137)
        return {"side": side, "failed": "out of memory" if killed else done.stderr.strip().splitlines()[-1][:200]}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {"side": side, **answer, "added_mib": answer["peak_mib"] - answer["before_mib"]}


def compared(documents: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All sides on one size, each the median of its repeats."""
    anchors = options.anchors or ANCHORS.get(documents, 5_000)
    folder = vectors.make(options.work, documents, anchors)
    sides.fill_cache(folder)
    repeats = options.repeat or (3 if documents <= 50_000 else 1)
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in options.sides}
    for _ in range(repeats):
        for side in options.sides:
            runs[side].append(measured(side, folder, options.threads, options.limit))
            print(f"{documents:>8} {side:<18}", _brief(runs[side][-1]), file=sys.stderr, flush=True)
    rows = []
    for found in runs.values():
        sound = [one for one in found if "failed" not in one]
        row = dict(sound[0] if sound else found[0]) | {"documents": documents, "anchors": anchors, "repeats": repeats}
        if sound:
            row |= {name: min(one[name] for one in sound) for name in ("seconds", "cpu_seconds")}
            names = ("peak_mib", "before_mib", "added_mib", "private_mib")
            row |= {name: statistics.median(one[name] for one in sound) for name in names}
            mined = json.loads((folder / f"mined-{row['side']}.json").read_text())
            row["mined"] = {(anchor, item) for anchor, item in mined}
        rows.append(row)
    theirs = rows[0].get("mined") if rows[0]["side"].startswith("incumbent") else None
    for row in rows:
        mined = row.pop("mined", None)
        row["others"] = None if theirs is None or mined is None else len(mined - theirs)
    return rows


def report(rows: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """The table with ratios, and what one needs to know to read it."""
    lines = []
    for row in rows:
        theirs = next((o for o in rows if o["side"] == "incumbent" and o["documents"] == row["documents"]), {})
        ratios = ["", ""]
        if "seconds" in row and "seconds" in theirs and row is not theirs:
            ratios = [f"{row[name] / theirs[name]:.2f}" for name in ("seconds", "added_mib")]
        names = ("added_mib", "private_mib", "before_mib")
        figures = (
            [row["failed"], *[""] * 4]
            if "failed" in row
            else [f"{row['seconds']:.1f}", f"{row['cpu_seconds']:.1f}", *(f"{row[name]:,.0f}" for name in names)]
        )
        count = f"{row['pairs']:,}" if "pairs" in row else ""
        if row["others"] is not None and row is not theirs:
            count += f" ({row['others'] or 'none'} other)"
        lines.append([f"{row['documents']:,}", NAMES[row["side"]], *figures, *ratios, count])
    anchors = " / ".join(dict.fromkeys(f"{row['anchors']:,}" for row in rows))
    repeats = " / ".join(dict.fromkeys(str(row["repeats"]) for row in rows))
    sizes = " ".join(map(str, options.docs))
    return "\n\n".join(
        [
            "## Against the incumbent: time and memory",
            f"`python -m benchmarks.incumbent --docs {sizes}`: {machine.described(PACKAGES)}",
            machine.table(HEAD, lines),
            f"d = {_width(options)}, {anchors} anchors, {sides.K} candidates and {sides.NEGATIVES} negatives each, "
            f"relative margin {sides.MARGIN}, {options.threads} threads, a process a side. *Seconds*: from reading the "
            "inputs to the mined negatives, without imports; ours include writing every candidate with its verdict to "
            "disk. *Peak*: the most the process held above what it held after its imports (*before*); *private* leaves "
            "out pages of mapped files, which the system can take back. *Ratios* are to the incumbent without FAISS: "
            "under 1 is less. *Other*: negatives that the incumbent did not choose. The incumbent reads its vectors "
            "from its own `cache_folder`; ours are mapped from a file. The fastest of "
            f"{repeats} runs; load {options.load:.1f} at the start.",
            _likeness(options),
        ]
    )


def _likeness(options: argparse.Namespace) -> str:
    where, base, texts = vectors.real(options.work)
    folder = vectors.make(options.work, options.docs[0], options.anchors or ANCHORS.get(options.docs[0], 5_000))
    made = np.load(folder / "items.npy", mmap_mode="r")[:50_000]
    figures = vectors.likeness(np.asarray(made), base, np.random.default_rng(0))
    rows = [[name, f"{real:.3g}", f"{new:.3g}"] for name, (real, new) in figures.items()]
    about = f"The vectors grow from MiniLM's for {len(texts):,} real short texts ({where}). At equal numbers:"
    return f"{about}\n\n{machine.table(('figure', 'real', 'made'), rows)}"


def _width(options: argparse.Namespace) -> int:
    return int(vectors.real(options.work)[1].shape[1])


def _brief(row: dict[str, Any]) -> str:
    if "failed" in row:
        return str(row["failed"])
    return f"{row['seconds']:7.1f} s  {row['added_mib']:8.0f} MiB  {row['pairs']} pairs  {row['stages'] or ''}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=int, nargs="+", default=[5_000, 50_000], help="numbers of documents")
    parser.add_argument("--anchors", type=int, help="number of anchors (2,000 for 5,000 documents, else 5,000)")
    parser.add_argument("--sides", nargs="+", choices=sorted(NAMES), default=list(NAMES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, help="runs of each side (3 up to 50,000 documents, else 1)")
    parser.add_argument("--limit", type=float, default=3600, help="seconds after which a run is stopped")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "bench", help="where vectors are kept")
    parser.add_argument("--json", type=Path, help="save all figures here")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    options.load = os.getloadavg()[0]
    rows = [row for documents in options.docs for row in compared(documents, options)]
    text = report(rows, options)
    print(text)
    if options.write:
        machine.write_section("incumbent", text)
    if options.json:
        about = {"machine": machine.described(PACKAGES), "rows": rows}
        options.json.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
