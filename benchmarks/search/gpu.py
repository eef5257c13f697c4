"""Exact search on a graphics card: the share of the card's own matrix rate, and the ratio to its users' other ways."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.search.data import Store
from benchmarks.search.kit import Floats, as_table, best, found_share, opening, prepared, save, say
from hardneg.search import Torch
from hardneg.search.torch import Precision

SIZES = [1_000_000]
K, SAMPLE = 100, 1024
_BLOCKS = 4096, 16_384  # anchors and items of a block, as the engine has them
_SQUARE = 8192
_NAMES = {
    "bf16": "Torch(precision=bf16)",
    "tf32": "Torch(precision=tf32)",
    "float32": "Torch(precision=float32)",
    "topk": "torch.topk of bf16 products, merged block by block",
    "faiss": "FAISS-GPU, GpuIndexFlatIP",
}
HEAD = ("side", "seconds", "TFLOP/s", "of the bf16 product's rate", "of the square one's", "torch.topk's time / this")


def measure(options: Namespace) -> dict[str, Any] | None:
    """All that runs on the card; None where there is none."""
    import torch

    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        say("Skipped: PyTorch finds no graphics card here (torch.cuda.is_available() is false).")
        return None
    count, asked = options.sizes[0], options.anchors or options.sizes[0]
    store = Store(options.work, count, options.short)
    items, anchors = store.items(count), store.anchors(asked)
    sides, every = {}, np.arange(asked)
    precisions: tuple[Precision, ...] = ("bf16", "tf32", "float32")
    searches = {one: prepared(Torch(str(device), one), anchors, items, K)[1] for one in precisions}
    sides |= {one: _asks(search, every) for one, search in searches.items()}
    sides["topk"] = lambda: topk(anchors, items, device)
    if (index := _faiss_gpu(items)) is not None:
        sides["faiss"] = lambda: index.search(anchors, K)
    rates = {name: product_rate(*shape, device) for name, shape in _shapes(items.shape[1]).items()}
    seconds = best(sides, options.repeat, f"{count:,}")
    truth = searches["float32"](every[:SAMPLE])
    shares = {"topk": found_share(topk(anchors[:SAMPLE], items, device), truth)}
    shares |= {one: found_share(as_table(searches[one](every[:SAMPLE]), K), truth) for one in precisions}
    work = 2.0 * asked * count * items.shape[1]
    rows = [
        {"side": one, "seconds": taken, "rate": work / taken, "recall": shares.get(one)}
        for one, taken in seconds.items()
    ]
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return save("gpu", options, {"rows": rows, "k": K, "items": count, "anchors": asked, "rates": rates, "card": card})


def _asks(search: Callable[[Any], object], rows: Any) -> Callable[[], object]:
    return lambda: search(rows)


def _shapes(width: int) -> dict[str, tuple[int, int, int]]:
    return {"blocks": (*_BLOCKS, width), "square": (_SQUARE, _SQUARE, _SQUARE)}


def product_rate(rows: int, columns: int, width: int, device: Any) -> float:
    """Operations a second of bare bfloat16 products of this shape, bfloat16 out."""
    import torch

    if device.type == "cpu":
        rows, columns, width = (min(one, 1024) for one in (rows, columns, width))
    left, right = (torch.randn(one, width, device=device).to(torch.bfloat16) for one in (rows, columns))
    out = torch.empty(rows, columns, device=device, dtype=torch.bfloat16)

    def run() -> None:
        for _ in range(20):
            torch.mm(left, right.T, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize()

    run()
    seconds = best({"bf16 product": run}, 5, f"{rows}x{columns}x{width}")["bf16 product"]
    return 20 * 2.0 * rows * columns * width / seconds


def topk(anchors: Floats, items: Floats, device: Any) -> Any:
    """What one would write by hand: products in bfloat16, the k best of each block, merged; nothing is scored again."""
    import torch

    there = torch.from_numpy(items).to(device).to(torch.bfloat16)
    out = []
    for at in range(0, len(anchors), _BLOCKS[0]):
        left = torch.from_numpy(anchors[at : at + _BLOCKS[0]]).to(device).to(torch.bfloat16)
        best_k = torch.full((len(left), K), -torch.inf, device=device, dtype=torch.bfloat16)
        ids = torch.full((len(left), K), -1, device=device)
        for start in range(0, len(there), _BLOCKS[1]):
            products = left @ there[start : start + _BLOCKS[1]].T
            top, column = torch.topk(products, min(K, products.shape[1]), dim=1)
            best_k, place = torch.topk(torch.cat([best_k, top], 1), K, dim=1)
            ids = torch.gather(torch.cat([ids, column + start], 1), 1, place)
        out.append(ids.cpu())
    return torch.cat(out).numpy()


def _faiss_gpu(items: Floats) -> Any:
    """FAISS's flat index on the card; None where FAISS comes without."""
    import faiss

    if not hasattr(faiss, "StandardGpuResources"):
        say("FAISS comes without graphics cards here: torch.topk stands for the others.")
        return None
    index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), items.shape[1])
    index.add(items)
    return index


def report(saved: Mapping[str, Any]) -> str:
    """The table."""
    big, small = (saved["rates"][name] / 1e12 for name in ("square", "blocks"))
    rows, rates = saved["rows"], saved["rates"]
    theirs, bare = next(row["seconds"] for row in rows if row["side"] == "topk"), rates["blocks"]
    lines = [
        [_NAMES[row["side"]], f"{row['seconds']:.2f}", f"{row['rate'] / 1e12:.1f}", f"{row['rate'] / bare:.2f}",
         f"{row['rate'] / rates['square']:.2f}", f"{theirs / row['seconds']:.2f}"]
        for row in rows
    ]  # fmt: skip
    found = ", ".join(f"{_NAMES[row['side']]} {row['recall']:.4f}" for row in rows if row["recall"] is not None)
    rows_, columns = _BLOCKS
    return "\n\n".join(
        [
            "## On a graphics card",
            f"{opening(saved)} Card: {saved['card']}.",
            machine.table(HEAD, lines),
            f"{saved['anchors']:,} anchors, {saved['items']:,} items, k = {saved['k']}, end to end: from vectors in "
            f"the host's memory to answers there. Bare bf16 products: {small:.1f} TFLOP/s on the engine's "
            f"blocks ({rows_:,} x {columns:,}), {big:.1f} on squares of {_SQUARE:,}. Recall against "
            f"float32: {found}.",
        ]
    )
