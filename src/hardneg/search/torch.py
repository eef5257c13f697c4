"""Exact constrained search on graphics cards: products in low precision propose, exact pair scores decide."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, ClassVar, get_args

from hardneg.errors import OptionError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Engine, Hits, Search
from hardneg.search._blocks import Sides
from hardneg.search._device import Scan
from hardneg.search._enough import Part, until_enough
from hardneg.search._precision import Precision, products_in, torch_library
from hardneg.search._settle import answer
from hardneg.similarity import Similarity

__all__ = ["Torch"]

_ROOM = 2**24  # candidates that one device keeps at a time
# Room for the items whose order the precision leaves open: twice as many where their scores lie dense.
_SPARE = {"float32": (1.0, 32), "tf32": (1.25, 64), "bf16": (2.0, 128)}


@dataclass(frozen=True)
class Torch(Engine):
    """Exact search on graphics cards, with the answers of the engine on the CPU to the last bit.

    Blocks of items pass over the device; those with the largest products stay, some more than wanted. The host then
    proves for each anchor that no other item can be among the best, however the products were rounded. Anchors for
    which the proof fails are searched again, in float32 and with room for four times as many, until it holds. All
    that may be among the best is scored exactly. So precision, devices and blocks decide on time and memory, never
    on the result. :class:`hardneg.search._device.Scan` says how far a product may be from its true value.

    Args:
        device: cpu, mps, cuda:1 and so on; without it all graphics cards that CUDA shows share the anchors.
        precision: of the products: float32, tf32 or bf16. The last two are quicker where the card has tensor cores
            (bf16 from PyTorch 2.8 on) and leave more items to score.
        anchor_block: anchors that a device works on at a time.
        item_block: items that they are compared with at a time; the products take 4 bytes for each pair of the two.
    """

    name: ClassVar[str] = "torch"

    device: str | None = None
    precision: Precision = "float32"
    anchor_block: int = 4096
    item_block: int = 16384

    def __post_init__(self) -> None:
        known = get_args(Precision)
        require(self.precision in known, "precision", f"one of {', '.join(known)}", self.precision)
        require(self.anchor_block >= 1, "anchor_block", "at least 1", self.anchor_block)
        require(self.item_block >= 1, "item_block", "at least 1", self.item_block)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """See :class:`hardneg.search.Engine`.

        Raises MissingExtraError without PyTorch, OptionError for a device that is not there.

        >>> import numpy as np
        >>> points = np.array([[0.0], [1.0], [3.0]], np.float32)
        >>> hits = Torch("cpu", "bf16").search(points[:1], points, 2, "euclidean", Constraints.none(1, 3))
        >>> hits.items[0].tolist(), hits.scores.tolist()
        ([0, 1], [-0.0, -1.0])
        """
        devices = _devices(self.device)
        sides = Sides.of(anchors, items, similarity)
        return _Search(self, k, [Scan.of(sides, constraints, self.item_block, one) for one in devices])


@dataclass(frozen=True, eq=False)
class _Search(Search):
    engine: Torch
    k: int
    scans: list[Scan]

    @property
    def about(self) -> Mapping[str, Any]:
        return {"engine": "torch"}

    def __call__(self, rows: IntArray) -> Hits:
        sides, constraints = self.scans[0].sides, self.scans[0].constraints.take(rows)
        depth = max(1, min(constraints.depth(self.k), len(sides.items)))
        share, more = _SPARE[self.engine.precision]
        first = int(depth * share) + more

        def look(waiting: IntArray, count: int) -> list[Part]:
            precision = self.engine.precision if count == first else "float32"
            size = min(self.engine.anchor_block, max(1, _ROOM // count))
            places = [waiting[at : at + size] for at in range(0, len(waiting), size)]
            return self._parts(rows, places, depth, count, precision)

        at, found, above = until_enough(len(rows), first, 4, look)
        return answer(sides, rows, self.k, constraints, at, found, above)

    def _parts(
        self, rows: IntArray, places: list[IntArray], depth: int, count: int, precision: Precision
    ) -> list[Part]:
        """Each device takes the next block of anchors as soon as it is free."""
        free: SimpleQueue[Scan] = SimpleQueue()
        for scan in self.scans:
            free.put(scan)

        def part(mine: IntArray) -> Part:
            scan = free.get()
            try:
                kept = scan(rows[mine], count, precision)
            finally:
                free.put(scan)
            return kept.part(mine, depth)

        with products_in(precision), ThreadPoolExecutor(len(self.scans)) as pool:
            return list(pool.map(part, places))


def _devices(name: str | None) -> list[Any]:
    """The devices of that name; raises OptionError where there is none."""
    torch = torch_library()
    cards = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    here = [torch.device("cpu"), *[torch.device("mps")] * torch.backends.mps.is_available(), *cards]
    try:
        found = cards if name in (None, "cuda") else [one for one in here if one == torch.device(name)]
    except RuntimeError as error:
        raise OptionError(f"The 'device' must be cpu, mps, cuda or cuda:NUMBER. Got {name}.") from error
    if not found:
        raise OptionError(
            f"PyTorch finds no device '{name or 'cuda'}' here. It finds: {', '.join(map(str, here))}. "
            "Choose one of these, or the engine 'exact', which gives the same answers on the CPU."
        )
    return found
