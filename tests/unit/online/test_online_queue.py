"""The memory against a plain list; equal in every process; resumed bit for bit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.unit.online.processes import in_processes  # noqa: E402

from hardneg.errors import InputError, OptionError  # noqa: E402
from hardneg.online.queue import MemoryQueue  # noqa: E402


def batches(sizes: list[int], dim: int = 4) -> list[tuple[Any, Any, Any]]:
    random, at, out = torch.Generator().manual_seed(0), 0, []
    for size in sizes:
        rows = torch.randn(size, dim, generator=random)
        out.append((rows, torch.arange(at, at + size) % 3, torch.arange(at, at + size)))
        at += size
    return out


@pytest.mark.parametrize("sizes", [[3, 3], [5, 0, 7, 2, 1], [12, 1], [1] * 9, [7, 7, 7]])
def test_it_holds_the_last_ones(sizes: list[int]) -> None:
    queue, told = MemoryQueue(7, 4), batches(sizes)
    plain: list[tuple[list[float], int, int, int]] = []
    for step, (rows, labels, ids) in enumerate(told):
        queue.enqueue(rows.clone().requires_grad_(), labels, ids)
        plain += [(a.tolist(), int(b), int(c), step) for a, b, c in zip(rows, labels, ids, strict=True)]
    plain = plain[-7:]
    held = len(queue)
    kept = zip(
        *(getattr(queue, name)[:held].tolist() for name in ("embeddings", "labels", "ids", "written")), strict=True
    )
    assert sorted(kept, key=lambda one: one[2]) == plain
    figures = queue.staleness()
    ages = [len(sizes) - 1 - one[3] for one in plain]
    assert figures["queue/age_mean"] == pytest.approx(np.mean(ages))
    assert figures["queue/age_max"] == max(ages)
    assert figures["queue/fill"] == len(plain) / 7
    assert not queue.embeddings.requires_grad


def test_an_anchor_is_never_its_own() -> None:
    queue = MemoryQueue(8, 4)
    (rows, labels, ids), (more, _, _) = batches([4, 3])
    queue.enqueue(rows, labels, ids)
    queue.enqueue(more, torch.tensor([0, 1, 2]))  # without ids: nobody's
    asked = torch.tensor([2, 9, 0])
    expected = [[int(one) == entry for entry in queue.ids[:7].tolist()] for one in asked]
    assert queue.own(asked).tolist() == expected
    a, p, n = (torch.tensor(one) for one in ([0, 0, 1, 2], [2, 1, 0, 4], [3, 2, 1, 0]))
    kept = queue.without_own((a, p, n), asked)
    assert [one.tolist() for one in kept] == [[1], [0], [1]]
    kept = queue.without_own((a, p, a, n), asked)
    assert [one.tolist() for one in kept] == [[0, 1, 2], [1, 0, 4], [0, 1], [3, 1]]


def test_it_is_not_used_before_the_warm_up_is_over() -> None:
    queue = MemoryQueue(8, 4, warm_up=2)
    for number, one in enumerate(batches([2, 2, 2])):
        queue.enqueue(*one)
        assert queue.ready == (number == 2)
    held, labels = queue.reference()
    assert held is not None
    assert labels is not None
    assert len(held) == len(labels) == 6
    assert MemoryQueue(8, 4, warm_up=2).reference() == (None, None)


def test_what_is_enqueued_before_the_backward_pass_does_not_disturb_it() -> None:
    queue = MemoryQueue(4, 4)
    (rows, labels, ids), (more, _, _) = batches([4, 4])
    queue.enqueue(rows, labels, ids)
    mine = more.clone().requires_grad_()
    held, _ = queue.reference()
    assert held is not None
    loss = (mine @ held.T).square().sum()
    queue.enqueue(more, labels, ids)
    loss.backward()
    torch.testing.assert_close(mine.grad, 2 * more @ rows.T @ rows)


def test_drift_is_one_minus_the_cosine_with_what_was_kept() -> None:
    queue = MemoryQueue(8, 2)
    queue.enqueue(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1]), torch.tensor([4, 5]))
    fresh = torch.tensor([[0.0, 3.0], [0.0, 1.0], [1.0, 1.0]])
    assert queue.staleness(fresh, torch.tensor([4, 5, 6]))["queue/drift"] == pytest.approx((1 + 0) / 2)
    assert "queue/drift" not in queue.staleness(fresh, torch.tensor([7, 8, 9]))


def test_what_is_not_finite_is_not_kept_and_counted() -> None:
    queue = MemoryQueue(4, 2)
    queue.enqueue(torch.tensor([[1.0, 0.0], [float("nan"), 1.0], [2.0, float("inf")]]), torch.tensor([0, 1, 2]))
    assert (len(queue), queue.staleness()["queue/skipped"]) == (1, 2)


def test_a_resumed_memory_goes_on_bit_for_bit() -> None:
    told = batches([3, 4, 2, 5, 1, 6])
    whole, first = MemoryQueue(7, 4), MemoryQueue(7, 4)
    for one in told:
        whole.enqueue(*one)
    for one in told[:3]:
        first.enqueue(*one)
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    saved.seek(0)
    second = MemoryQueue(7, 4)
    second.load_state_dict(torch.load(saved, weights_only=True))
    for one in told[3:]:
        second.enqueue(*one)
    for name, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[name], value), name


def test_it_is_the_same_in_every_process_and_as_in_one(tmp_path: Path) -> None:
    code = """
from hardneg.online.queue import MemoryQueue
queue = MemoryQueue(11, 2)
for step in range(5):
    sizes = [(step + 2 * one) % 4 for one in range(world)]
    base = torch.arange(sum(sizes[:rank]), sum(sizes[: rank + 1])) + 100 * step
    queue.enqueue(torch.stack([base, -base], 1).float(), base % 3, base)
found = dict(queue.state_dict())
"""
    plain = MemoryQueue(11, 2)
    for step in range(5):
        base = torch.arange(sum((step + 2 * one) % 4 for one in range(3))) + 100 * step
        plain.enqueue(torch.stack([base, -base], 1).float(), base % 3, base)
    for found in in_processes(3, code, tmp_path):
        assert all(torch.equal(found[name], value) for name, value in plain.state_dict().items())


def test_bad_input_is_named() -> None:
    with pytest.raises(OptionError, match="'size' must be at least 1"):
        MemoryQueue(0, 4)
    with pytest.raises(InputError, match=r"shape \(n, 4\). Got \(2, 3\)"):
        MemoryQueue(5, 4).enqueue(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(InputError, match="labels and ids"):
        MemoryQueue(5, 4).enqueue(torch.zeros(2, 4), torch.zeros(3, dtype=torch.int64))
