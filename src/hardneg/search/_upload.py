"""Rows on their way to a device (PyTorch): the next block travels while the device works on this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["uploaded"]

Read = Callable[[slice], NDArray[Any]]


def uploaded(read: Read, total: int, step: int, device: Any) -> Iterator[tuple[int, Any]]:
    """Blocks of ``step`` of the ``total`` rows that ``read`` gives: where each begins, and the rows on the device."""
    slices = (slice(start, min(start + step, total)) for start in range(0, total, step))
    return _through_pinned(read, slices, device) if device.type == "cuda" else _plain(read, slices, device)


def _plain(read: Read, slices: Iterator[slice], device: Any) -> Iterator[tuple[int, Any]]:
    import torch

    for rows in slices:
        yield rows.start, torch.from_numpy(np.array(read(rows))).to(device)


def _through_pinned(read: Read, slices: Iterator[slice], device: Any) -> Iterator[tuple[int, Any]]:
    """Two buffers of pinned memory, filled in turn; a stream of their own copies them to the device.

    The consumer only queues work on the current stream, so this runs ahead of the device, by two blocks at most: a
    buffer is filled again when the work on its last block is done.
    """
    import torch

    copies, now = torch.cuda.Stream(device), torch.cuda.current_stream(device)
    buffers: list[Any] = []
    done: deque[Any] = deque()
    for number, rows in enumerate(slices):
        block = np.ascontiguousarray(read(rows))
        if len(done) == 2:
            done.popleft().synchronize()
        if len(buffers) < 2:
            buffers.append(torch.empty(block.shape, dtype=torch.from_numpy(block[:0].copy()).dtype, pin_memory=True))
        host = buffers[number % 2][: len(block)]
        host.numpy()[:] = block
        with torch.cuda.stream(copies):
            there = host.to(device, non_blocking=True)
        now.wait_stream(copies)
        there.record_stream(now)
        yield rows.start, there
        done.append(now.record_event())
