"""Each alarm where it should come, none where not; the figures against NumPy; loggers that are real."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from hardneg.errors import InputError, OptionError  # noqa: E402
from hardneg.online.monitor import Alarm, Mined, Monitor  # noqa: E402


def healthy(step: int, rows: int = 32) -> tuple[float, Any, Mined]:
    random = torch.Generator().manual_seed(step)
    positive = torch.rand(rows, generator=random)
    items = torch.randint(0, 500, (rows,), generator=random)
    anchors = torch.arange(rows) + rows * step
    negative = positive - 0.3 + 0.4 * torch.rand(rows, generator=random)
    return 1 / (1 + step), torch.randn(rows, 8, generator=random), Mined(positive, negative, anchors, items, 2)


def watched(change: str, steps: int = 20) -> tuple[Alarm, ...]:
    monitor, alarms = Monitor(margin=0.2, window=10, every=20), ()
    for step in range(steps):
        loss, rows, mined = healthy(step)
        anchors, items, positive, negative = mined.anchors, mined.items, mined.positive, mined.negative
        assert items is not None
        if change == "stuck":
            loss = 0.2 + 0.001 * (-1) ** step
        if change == "together":
            rows = rows * 0.001 + 5
        if change == "over-hard":
            negative = positive + 0.1
        if change == "hub":
            items[::4] = 77
        if change == "idle":
            negative = positive - 1
        mined = Mined(positive, negative, anchors, items, 20 if change == "false" else 2)
        alarms = monitor.observe(loss, rows, mined)
    return alarms


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("nothing", []),
        ("stuck", ["collapse"]),
        ("together", ["collapse"]),
        ("over-hard", ["over-hard"]),
        ("hub", ["hub"]),
        ("false", ["false negatives"]),
        ("idle", ["idle"]),
    ],
)
def test_each_alarm_comes_for_its_own_reason(change: str, kinds: list[str]) -> None:
    alarms = watched(change)
    assert [one.kind for one in alarms] == kinds
    assert all("\n" not in str(one) and one.too_hard == (one.kind != "idle") for one in alarms)
    if change == "hub":
        assert "Item 77 is a negative of 2" in str(alarms[0])  # a quarter of the anchors


def test_a_real_collapse_is_seen() -> None:
    """Batch-hard on noise with a high rate: the embeddings shrink to a point, the loss stays at the margin."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 8))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.5)
    monitor, kinds = Monitor(margin=0.2, window=20, every=20), []
    labels = torch.arange(16).repeat_interleave(2)
    same = labels[:, None] == labels
    for _ in range(200):
        out = net(torch.randn(32, 16))
        distance = (out[:, None] - out).square().sum(-1).clamp(min=1e-12).sqrt()
        gap = (distance * same).amax(1) - distance.masked_fill(same, math.inf).amin(1) + 0.2
        loss = gap.clamp(min=0).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        kinds.append([one.kind for one in monitor.observe(loss, out)])
    assert kinds[19] == []
    assert "collapse" in kinds[-1]


def test_nothing_is_said_before_the_window_is_full() -> None:
    monitor = Monitor(stuck_at=math.log(2), window=5, every=1)
    told = [monitor.observe(math.log(2)) for _ in range(5)]
    assert [len(one) for one in told] == [0, 0, 0, 0, 1]
    assert "0.6931 for 5 steps" in str(told[-1][0])


def percentiles(values: NDArray[np.float64]) -> list[float]:
    return [float(one) for one in np.percentile(values, [5, 50, 95])]


def test_figures_equal_numpy() -> None:
    monitor = Monitor(margin=0.2, window=4)
    norms, distances, active, above, losses = [], [], [], [], []
    for step in range(7):
        loss, rows, mined = healthy(step)
        monitor.observe(loss, rows, mined)
        if step < 3:
            continue  # out of the window
        plain = rows.numpy().astype(float)
        pairs = np.sqrt(((plain[:, None] - plain) ** 2).sum(-1))[np.triu_indices(len(plain), 1)]
        norms.append(percentiles(np.sqrt((plain**2).sum(1))))
        distances.append(percentiles(pairs))
        gap = mined.negative.numpy() - mined.positive.numpy()
        active.append((gap + 0.2 > 0).mean())
        above.append((gap > 0).mean())
        losses.append(loss)
    figures = monitor.figures()
    for name, values in (("norm", norms), ("distance", distances)):
        told = [figures[f"monitor/{name}/p{percent}"] for percent in (5, 50, 95)]
        np.testing.assert_allclose(told, np.mean(values, axis=0), rtol=1e-5)
    assert figures["monitor/active"] == pytest.approx(np.mean(active))
    assert figures["monitor/above_positive"] == pytest.approx(np.mean(above))
    assert figures["monitor/loss"] == pytest.approx(np.mean(losses))
    assert figures["monitor/suspects"] == pytest.approx(2 / 34)
    assert monitor.active == pytest.approx(active[-1])
    assert math.isnan(Monitor().active)


def test_the_hub_is_counted_by_anchors_not_by_triplets() -> None:
    monitor = Monitor(window=3)
    for step in range(3):
        anchors = torch.arange(60) + 60 * step
        items = torch.where(torch.arange(60) < 12, 5, 100 + anchors)
        twice = torch.cat([anchors, anchors]), torch.cat([items, items])
        monitor.observe(1.0, None, Mined(torch.zeros(120), torch.zeros(120), *twice))
    assert monitor.figures()["monitor/hub"] == pytest.approx(12 / 60)


def test_any_function_is_a_logger() -> None:
    told: list[dict[str, float]] = []
    monitor = Monitor(window=4, every=2, log=told.append)
    for step in range(6):
        monitor.observe(*healthy(step))
    assert len(told) == 3
    assert all(isinstance(value, float) for one in told for value in one.values())
    said: list[str] = []
    monitor = Monitor(margin=0.2, window=1, every=1, say=said.append)
    monitor.observe(0.2)
    assert len(said) == 1


def scalars(folder: Path) -> list[tuple[str, int, float]]:
    """What an event file holds: records of a length, its checksum, the event, its checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    content, at, found = next(folder.glob("events.*")).read_bytes(), 0, []
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        event = event_pb2.Event.FromString(content[at + 12 : at + 12 + length])
        found += [(one.tag, event.step, one.simple_value) for one in event.summary.value]
        at += 16 + length
    return found


@pytest.mark.parametrize("package", ["tensorboardX", "torch.utils.tensorboard"])
def test_tensorboard_gets_what_is_logged(package: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard" if package.startswith("torch") else package)
    with pytest.importorskip(package).SummaryWriter(str(tmp_path)) as writer:
        monitor = Monitor(window=4, every=2, log=writer)
        for step in range(4):
            monitor.observe(*healthy(step))
    found = scalars(tmp_path)
    assert [step for tag, step, _ in found if tag == "monitor/loss"] == [2, 4]
    assert next(value for tag, _, value in found if tag == "monitor/loss") == pytest.approx((1 + 1 / 2) / 2)
    assert {tag for tag, _, _ in found} == set(monitor.figures())


def test_it_resumes() -> None:
    whole, first, second = (Monitor(margin=0.2, window=6, every=3) for _ in range(3))
    for step in range(12):
        whole.observe(*healthy(step))
    for step in range(5):
        first.observe(*healthy(step))
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    saved.seek(0)
    second.load_state_dict(torch.load(saved, weights_only=True))
    for step in range(5, 12):
        second.observe(*healthy(step))
    assert second.figures() == whole.figures()
    assert second.step == whole.step


def test_bad_input_is_named() -> None:
    with pytest.raises(OptionError, match="'margin' must be above 0"):
        Monitor(margin=0)
    with pytest.raises(InputError, match="3 positives and 2 negatives"):
        Monitor().observe(1.0, None, Mined(torch.zeros(3), torch.zeros(2)))
