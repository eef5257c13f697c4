"""Real processes find the loss and the gradients of one process on the joined batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.unit.online.processes import in_processes  # noqa: E402

from hardneg.errors import InputError  # noqa: E402
from hardneg.online.distributed import gather, place  # noqa: E402

# One batch, one model, one loss: what every process and the lonely one start from.
SHARED = """
import torch
import torch.nn.functional as F
from hardneg.online.distributed import gather

def batch():
    random = torch.Generator().manual_seed(3)
    return torch.randn(9, 6, generator=random), torch.randint(0, 3, (9,), generator=random)

def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4)).double()

def per_anchor(anchors, anchor_labels, rows, labels):
    # A softmax over all rows with the anchor's own label as the target classes (SupCon without the diagonal's care).
    scores = F.normalize(anchors) @ F.normalize(rows).T / 0.1
    same = anchor_labels[:, None] == labels
    return -(torch.log_softmax(scores, dim=1) * same).sum(1) / same.sum(1)
"""
SPLITS = {2: (5, 4), 3: (6, 1, 2)}

WHOLE_LOSS = """
net = torch.nn.parallel.DistributedDataParallel(model())
rows, labels = batch()
counts = COUNTS
start = sum(counts[:rank])
mine = slice(start, start + counts[rank])
joined = gather(net(rows[mine].double()), labels[mine], torch.arange(9)[mine])
loss = per_anchor(joined.embeddings, joined.labels, joined.embeddings, joined.labels).mean()
loss.backward()
found = {"loss": loss.detach(), "gradients": [one.grad for one in net.parameters()], "labels": joined.labels,
         "ids": joined.ids, "own": [joined.own.start, joined.own.stop]}
"""
OWN_ANCHORS = WHOLE_LOSS.replace(
    "per_anchor(joined.embeddings, joined.labels, joined",
    "joined.share * per_anchor(joined.embeddings[joined.own], joined.labels[joined.own], joined",
)


def alone() -> tuple[Any, list[Any]]:
    space: dict[str, object] = {}
    exec(SHARED + "\nnet = model(); rows, labels = batch(); out = net(rows.double())", space)
    loss = space["per_anchor"](space["out"], space["labels"], space["out"], space["labels"]).mean()  # type: ignore[operator]
    loss.backward()
    return loss.detach(), [one.grad for one in space["net"].parameters()]  # type: ignore[attr-defined]


def test_no_test_compares_a_loss_with_itself() -> None:
    assert OWN_ANCHORS != WHOLE_LOSS


@pytest.mark.parametrize("world", [2, 3])
def test_a_loss_of_all_rows_has_the_gradients_of_one_process(world: int, tmp_path: Path) -> None:
    loss, gradients = alone()
    everywhere = in_processes(world, SHARED + WHOLE_LOSS.replace("COUNTS", str(SPLITS[world])), tmp_path)
    for rank, found in enumerate(everywhere):
        torch.testing.assert_close(found["loss"], loss)
        torch.testing.assert_close(found["gradients"], gradients)
        assert found["ids"].tolist() == list(range(9))  # the order of the ranks
        assert found["own"] == [sum(SPLITS[world][:rank]), sum(SPLITS[world][: rank + 1])]


@pytest.mark.parametrize("world", [2, 3])
def test_a_mean_over_own_anchors_times_its_share_has_them_too(world: int, tmp_path: Path) -> None:
    loss, gradients = alone()
    everywhere = in_processes(world, SHARED + OWN_ANCHORS.replace("COUNTS", str(SPLITS[world])), tmp_path)
    torch.testing.assert_close(sum(found["loss"] for found in everywhere) / world, loss)
    for found in everywhere:
        torch.testing.assert_close(found["gradients"], gradients)


def test_a_process_without_a_row_takes_part(tmp_path: Path) -> None:
    _, gradients = alone()
    for found in in_processes(3, SHARED + WHOLE_LOSS.replace("COUNTS", "(4, 5, 0)"), tmp_path):
        torch.testing.assert_close(found["gradients"], gradients)


def test_batches_that_do_not_go_together_are_an_error_in_every_process(tmp_path: Path) -> None:
    code = """
from hardneg.errors import InputError
from hardneg.online.distributed import gather
found = ""
try:
    gather(torch.zeros(2, 3 + rank))
except InputError as error:
    found = str(error)
"""
    everywhere = in_processes(2, code, tmp_path)
    assert all("process 0: width 3, labels 0, ids 0; process 1: width 4" in found for found in everywhere)


def test_alone_it_is_what_came_in() -> None:
    rows = torch.ones(3, 2, requires_grad=True)
    joined = gather(rows, torch.tensor([1, 2, 3]))
    assert joined.embeddings is rows
    assert (joined.share, joined.ids, place()) == (1.0, None, (0, 1))
    with pytest.raises(InputError, match=r"Got \(3, 2\) and \(4,\)"):
        gather(rows, torch.zeros(4))
