"""The dial against brute force: what is drawn at each stop, between them, and how it turns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hardneg.errors import InputError, OptionError  # noqa: E402
from hardneg.online.guards import Guarded  # noqa: E402
from hardneg.online.monitor import Alarm  # noqa: E402
from hardneg.online.queue import MemoryQueue  # noqa: E402
from hardneg.online.relations import Relations, relations_of  # noqa: E402
from hardneg.online.thermostat import KINDS, AtDial, Thermostat  # noqa: E402

COLLAPSE, IDLE = Alarm("collapse", "flat"), Alarm("idle", "easy")


def world(rows: int = 40, dim: int = 5, classes: int = 6, seed: int = 0) -> tuple[Any, Any]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(rows, dim, generator=random), torch.randint(0, classes, (rows,), generator=random)


def expected(kind: str, scores: np.ndarray[Any, Any], others: np.ndarray[Any, Any], positive: float) -> int:
    """One row, by plain search."""
    ordered = sorted(others.tolist(), key=lambda column: (-scores[column], column))
    if kind == "hardest":
        return int(ordered[0])
    return int(next((column for column in ordered if scores[column] < positive), ordered[-1]))


@pytest.mark.parametrize(("kind", "dial"), [("semi-hard", 2 / 3), ("hardest", 1.0)])
def test_sure_kinds_equal_a_plain_search(kind: str, dial: float) -> None:
    rows, labels = world()
    scores = torch.nn.functional.normalize(rows, dim=1) @ torch.nn.functional.normalize(rows, dim=1).T
    anchors, positives, negatives = Thermostat(dial)(rows, labels)
    pairs = [(a, p) for a in range(40) for p in range(40) if a != p and labels[a] == labels[p]]
    assert list(zip(anchors.tolist(), positives.tolist(), strict=True)) == pairs
    for (a, p), n in zip(pairs, negatives.tolist(), strict=True):
        others = np.flatnonzero((labels != labels[a]).numpy())
        assert n == expected(kind, scores[a].numpy(), others, float(scores[a, p]))


def drawn(dial: float) -> Any:
    """How often each column is the negative of 20,000 anchors that all have these cosines to the references."""
    many, angle = 20_000, torch.tensor([*SCORES, POSITIVE]).acos()
    refs = torch.stack([angle.cos(), angle.sin()], 1)
    relevance = torch.tensor([-1 if one else 0 for one in NEGATIVE] + [1]).expand(many, -1)
    miner = AtDial(dial, 0.2, generator=torch.Generator().manual_seed(1))
    chosen = miner(torch.tensor([[1.0, 0.0]]).expand(many, -1), Relations.from_relevance(relevance), refs)[2]
    return np.bincount(chosen.numpy(), minlength=len(SCORES)) / many


SCORES, NEGATIVE, POSITIVE = [0.9, 0.5, 0.55, 0.2, 0.99], [True, True, True, True, False], 0.6
ODDS = np.where(NEGATIVE, np.exp(np.array(SCORES) / 0.2), 0)
SHARES = {
    "random": np.array([0.25, 0.25, 0.25, 0.25, 0]),
    "tempered": ODDS / ODDS.sum(),
    "semi-hard": np.array([0, 0, 1, 0, 0]),
    "hardest": np.array([1, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("dial", [0, 0.1, 1 / 3, 0.5, 2 / 3, 0.9, 1])
def test_between_two_stops_the_kinds_are_mixed(dial: float) -> None:
    at = dial * 3
    left, right = KINDS[math.floor(at)], KINDS[min(3, math.floor(at) + 1)]
    share = (1 - at % 1) * SHARES[left] + (at % 1) * SHARES[right]
    found = drawn(dial)
    assert np.abs(found - share).max() < 0.015  # four standard deviations


def test_the_dial_makes_negatives_harder() -> None:
    rows, labels = world(200, 8, 20)
    unit = torch.nn.functional.normalize(rows, dim=1)
    means = []
    for dial in (0, 1 / 3, 1):
        anchors, _, negatives = Thermostat(dial)(rows, labels)
        means.append(float((unit[anchors] * unit[negatives]).sum(1).mean()))
    assert means == sorted(means)
    assert means[2] > means[0] + 0.5


def test_draws_depend_on_ids_not_on_the_order_or_the_blocks() -> None:
    rows, labels = world(300, 5, 60)
    ids, order = torch.arange(300) + 100, torch.randperm(300, generator=torch.Generator().manual_seed(2))

    def mined(some: Any, **options: int) -> set[tuple[int, ...]]:
        found = Thermostat(0.2, **{"seed": 3, **options})(rows[some], labels[some], ids=ids[some])
        return set(zip(*(some[part].tolist() for part in found), strict=True))

    plain = mined(torch.arange(300))
    assert mined(order) == plain
    assert mined(torch.arange(300), chunk_mib=1) == plain  # five blocks
    assert mined(torch.arange(300), seed=4) != plain


def test_behind_a_guard_it_takes_the_next_in_line() -> None:
    rows, labels = world()
    guarded = Guarded(Thermostat(1.0), ["rank(skip=2)"])
    anchors, _, negatives = guarded(rows, labels)
    unit = torch.nn.functional.normalize(rows, dim=1)
    scores = (unit @ unit.T).masked_fill(labels[:, None] == labels, -2)
    assert len(anchors) == int((labels[:, None] == labels).sum()) - 40
    assert torch.equal(negatives, scores.argsort(dim=1, descending=True)[anchors, 2])


def test_in_a_memory_nobody_meets_themselves() -> None:
    queue, (rows, labels) = MemoryQueue(60, 5), world()
    ids = torch.arange(40)
    queue.enqueue(rows[:20], labels[:20], ids[:20])
    queue.enqueue(
        rows, torch.zeros(40, dtype=torch.int64), ids
    )  # labels that have changed: an own entry would be negative
    found = Thermostat(1.0)(rows, labels, *queue.reference(), ids=ids, ref_ids=queue.reference_ids)
    anchors, positives, negatives = found
    held = queue.reference_ids
    assert len(anchors) > 100
    assert (ids[anchors] != held[positives]).all()
    assert (ids[anchors] != held[negatives]).all()


def test_without_positives_or_negatives_there_are_no_triplets() -> None:
    for labels in (torch.arange(4), torch.zeros(4, dtype=torch.int64)):
        assert [len(part) for part in Thermostat(0.5)(world(4)[0], labels)] == [0, 0, 0]
    assert [len(part) for part in Thermostat()(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))] == [0, 0, 0]


def test_embeddings_gone_wrong_are_named() -> None:
    rows, labels = world()
    rows[3, 2] = float("nan")
    with pytest.raises(InputError, match="1 of the 40 embeddings"):
        Thermostat()(rows, labels)


def test_it_turns_by_the_active_share_and_backs_off_at_an_alarm() -> None:
    dial = Thermostat(0.4, low=0.3, high=0.6, step=0.1, rest=3)
    steps: list[tuple[float, list[Alarm]]] = [
        (0.1, []),
        (0.45, []),
        (float("nan"), []),
        (0.9, []),
    ]  # up, stay, stay, down
    steps += [(0.1, [IDLE]), (0.1, [IDLE, COLLAPSE])]  # idle is no reason to go easier
    steps += [(0.1, [])] * 3  # at rest
    told = [dial.update(*one) for one in steps]
    assert told == pytest.approx([0.5, 0.5, 0.5, 0.4, 0.5, 0.25, 0.25, 0.25, 0.35])
    assert [Thermostat(start).kind for start in (0, 0.3, 0.7, 1)] == list(KINDS)
    for _ in range(20):
        dial.update(0.0)
    assert dial.dial == 1.0


def test_it_resumes() -> None:
    first, second = Thermostat(0.4, step=0.1), Thermostat()
    first.update(0.1, [COLLAPSE])
    second = Thermostat(step=0.1)
    second.load_state_dict(first.state_dict())
    rows, labels = world()
    for left, right in zip(first(rows, labels), second(rows, labels), strict=True):
        assert torch.equal(left, right)
    assert [first.update(0) for _ in range(150)] == [second.update(0) for _ in range(150)]


def test_bad_options_are_named() -> None:
    with pytest.raises(OptionError, match="'start' must be in"):
        Thermostat(1.2)
    with pytest.raises(OptionError, match="'low' must be in"):
        Thermostat(low=0.7, high=0.6)
    with pytest.raises(OptionError, match="'active' must be in"):
        Thermostat().update(1.5)


def test_ids_beside_relations_and_a_memory() -> None:
    rows, labels = world()
    ids = torch.arange(40)
    wanted = Thermostat(0.5, seed=1)(rows, labels, rows[:30].clone(), labels[:30], ids=ids, ref_ids=ids[:30])
    relation = relations_of(labels, labels[:30])
    found = Thermostat(0.5, seed=1)(rows, relation, rows[:30].clone(), ids=ids, ref_ids=ids[:30])
    assert all(torch.equal(one, other) for one, other in zip(wanted, found, strict=True))
    assert (found[0] != found[1]).all()
