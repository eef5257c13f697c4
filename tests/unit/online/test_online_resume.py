"""A small real training with all the parts: interrupted and resumed, it ends with the same bits."""

from __future__ import annotations

import io
from typing import Any

import pytest

torch = pytest.importorskip("torch")
sklearn = pytest.importorskip("sklearn.datasets")

from hardneg.online.batches import HardClassBatches  # noqa: E402
from hardneg.online.monitor import Mined, Monitor  # noqa: E402
from hardneg.online.queue import MemoryQueue  # noqa: E402
from hardneg.online.thermostat import Thermostat  # noqa: E402

MARGIN = 0.2


class Training:
    """Digits, batches of classes that look alike, a memory, a dial that a monitor turns back."""

    def __init__(self) -> None:
        digits = sklearn.load_digits()
        self.pictures = torch.tensor(digits.data / 16, dtype=torch.float32)[:600]
        self.labels = torch.tensor(digits.target[:600], dtype=torch.int64)
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 16))
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=0.005)
        self.batches = HardClassBatches(self.labels, classes=4, items=4, encode=self.encode)
        self.queue = MemoryQueue(100, 16, warm_up=3)
        self.thermostat = Thermostat(0.4, low=0.7, high=0.8, step=0.03, rest=5)
        self.monitor = Monitor(margin=MARGIN, window=4, every=2)
        self.dials: list[float] = []
        self.steps = 0

    def encode(self, rows: Any) -> Any:
        with torch.no_grad():
            return self.net(self.pictures[rows])

    def run(self, until: int) -> None:
        while self.steps < until:
            self.batches.set_epoch(self.steps // len(self.batches))
            for rows in self.batches:
                self.step(torch.tensor(rows))
                if self.steps == until:
                    return

    def step(self, rows: Any) -> None:
        embeddings, labels = self.net(self.pictures[rows]), self.labels[rows]
        self.queue.enqueue(embeddings, labels, rows)
        held, of = self.queue.reference()
        ids = None if held is None else self.queue.reference_ids
        a, p, n = self.thermostat(embeddings, labels, held, of, ids=rows, ref_ids=ids)
        unit = torch.nn.functional.normalize(embeddings, dim=1)
        others = unit if held is None else torch.nn.functional.normalize(held, dim=1)
        positive, negative = (unit[a] * others[p]).sum(1), (unit[a] * others[n]).sum(1)
        loss = (negative - positive + MARGIN).clamp(min=0).mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        items = n if ids is None else ids[n]
        alarms = self.monitor.observe(loss, embeddings, Mined(positive, negative, rows[a], items))
        self.dials.append(self.thermostat.update(self.monitor.active, alarms))
        self.steps += 1

    def parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (
            "net", "optimiser", "batches", "queue", "thermostat", "monitor"
        )}  # fmt: skip


@pytest.mark.parametrize("stop", [4, 13, 20])
def test_it_ends_with_the_same_bits(stop: int) -> None:
    whole, first, second = Training(), Training(), Training()
    whole.run(27)
    first.run(stop)
    saved = io.BytesIO()
    torch.save({name: one.state_dict() for name, one in first.parts().items()}, saved)
    saved.seek(0)
    state = torch.load(saved, weights_only=True)
    for name, one in second.parts().items():
        one.load_state_dict(state[name])
    second.steps = stop
    second.run(27)
    assert second.dials == whole.dials[stop:]
    assert len(set(whole.dials)) > 5  # the dial has turned
    for name in ("net", "queue"):
        mine, theirs = second.parts()[name].state_dict(), whole.parts()[name].state_dict()
        for key, value in theirs.items():
            assert torch.equal(mine[key], value), key
    for mine, theirs in zip(second.optimiser.state.values(), whole.optimiser.state.values(), strict=True):
        assert torch.equal(mine["exp_avg_sq"], theirs["exp_avg_sq"])
    assert second.monitor.figures() == whole.monitor.figures()
