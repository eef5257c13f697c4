"""What a run has learnt about unknown positives holds in the training step, whatever the vectors are by then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError, OptionError, RunError
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run

torch = pytest.importorskip("torch")

from hardneg.online import About, BatchHard, Guard, Guarded, Relations, SemiHard  # noqa: E402

TOPICS, EACH, ANCHORS = 30, 6, 60
RATE = "calibrated(false_negatives=0.1)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Topics of six items; each anchor knows three of its topic's, and two are missing."""
    rng = np.random.default_rng(0)
    topics = rng.normal(size=(TOPICS, 16))
    items = np.repeat(topics, EACH, axis=0) + 0.6 * rng.normal(size=(TOPICS * EACH, 16))
    of = np.arange(ANCHORS) % TOPICS
    anchors = topics[of] + 0.6 * rng.normal(size=(ANCHORS, 16))
    pairs = [(row, int(one) * EACH + k) for row, one in enumerate(of) for k in rng.choice(EACH, 3, replace=False)]
    positives = Positives.from_pairs(
        [f"q{row}" for row, _ in pairs], [f"d{item}" for _, item in pairs],
        anchors=Collection.of([f"q{row}" for row in range(ANCHORS)]),
        items=Collection.of([f"d{row}" for row in range(TOPICS * EACH)]),
    )  # fmt: skip
    vectors = Vectors(anchors.astype(np.float32), items.astype(np.float32))
    return mine(positives, encoder=vectors, filters=RATE, sampler="top(n=4)", out=tmp_path_factory.mktemp("run") / "a")


def suspects(run: Run, rate: float = 0.1) -> set[tuple[str, str]]:
    """Read from the tables alone."""
    found = set()
    for part in run.parts():
        table = part.select(["anchor", "item", "false_negative_rate"]).to_pylist()
        found |= {(one["anchor"], one["item"]) for one in table if one["false_negative_rate"] > rate}
    return found


def batch(run: Run) -> tuple[list[str], list[str], Any, Any, Any]:
    """All anchors and items, with vectors that have nothing to do with those of the run."""
    anchors, items = (one.ids.to_pylist()[::-1] for one in (run.anchors, run.items))
    torch.manual_seed(0)
    x, y = torch.randn(len(anchors), 8), torch.randn(len(items), 8)
    known = set(zip(*(run.relations.column(one).to_pylist() for one in ("anchor", "item")), strict=True))
    positive = torch.tensor([[(a, i) in known for i in items] for a in anchors])
    return anchors, items, x, y, Relations.from_relevance(positive)


@pytest.mark.parametrize("rate", [0.1, 0.05, 0.3])
def test_the_pairs_of_the_run_are_held_back(run: Run, rate: float) -> None:
    anchors, items, x, y, relation = batch(run)
    guard = Guard(["known(shared=false)", f"calibrated(false_negatives={rate})"], run=run, chunk_mib=1)
    judged = guard.judge(x, relation, y, about=About(ids=anchors), ref_about=About(ids=items))
    rows, columns = np.nonzero((relation.masks().negative & ~judged.relation.masks().negative).numpy())
    held = {(anchors[row], items[column]) for row, column in zip(rows, columns, strict=True)}
    assert held == suspects(run, rate)
    assert len(held) > 20
    assert sum(many for name, many in judged.counts.items() if name.startswith("calibrated.")) == len(held)


def test_a_miner_takes_the_next_in_line(run: Run) -> None:
    anchors, items, x, y, relation = batch(run)
    bad = {(anchors.index(a), items.index(i)) for a, i in suspects(run)}
    for row, column in bad:  # planted: the model has moved them nearest
        x[row], y[column] = x[row], x[row] + 0.01 * y[column]
    about = {"about": About(ids=anchors), "ref_about": About(ids=items)}
    for miner in (BatchHard(), SemiHard(0.5)):
        plain, guarded = (
            miner(x, relation, y),
            Guarded(miner, ["known(shared=false)", RATE], run=run.path)(x, relation, y, **about),
        )
        before, after = ({(int(a), int(n)) for a, n in zip(one[0], one[-1], strict=True)} for one in (plain, guarded))
        assert before & bad
        assert not after & bad
        if isinstance(miner, SemiHard):  # all in a window are mined: nothing else changes
            assert after == before - bad


def test_labels_stand_in_for_the_pairs_of_a_run_and_a_batch_beside_itself_holds_both_ways(run: Run) -> None:
    anchor, item = min(suspects(run))
    ids = [anchor, item, "unknown to the run", "q1"]
    guard = Guard(RATE, run=run)
    judged = guard.judge(torch.randn(4, 3), torch.arange(4), about=About(ids=ids))
    expected = ~torch.eye(4, dtype=torch.bool)
    expected[0, 1] = expected[1, 0] = False
    assert torch.equal(judged.relation.masks().negative[:2], expected[:2])
    again = guard.judge(torch.randn(4, 3), torch.arange(4), about=About(ids=[anchor, item, item, anchor]))
    assert (~again.relation.masks().negative).tolist() == [
        [True, True, True, False], [True, True, False, True], [True, False, True, True], [False, True, True, True],
    ]  # fmt: skip


def test_what_somebody_said_of_a_pair_comes_first(run: Run) -> None:
    anchor, item = min(suspects(run))
    guard = Guard(RATE, run=run, reviewed=[(anchor, item, "negative")])
    judged = guard.judge(torch.randn(2, 3), torch.arange(2), about=About(ids=[anchor, item]))
    assert judged.relation.masks().negative[0, 1]


def test_what_is_missing_is_said(run: Run) -> None:
    x = torch.randn(2, 3)
    with pytest.raises(OptionError, match=r"'false_negative_rate', which a training step does not have.* 'run'"):
        _ = Guard(RATE).judge(x, torch.arange(2)).counts
    with pytest.raises(OptionError, match=r"stores no evidence that 'margin\(relative=0.05\)' would read"):
        Guard("margin(relative=0.05)", run=run)
    with pytest.raises(OptionError, match="learnt without a second encoder"):
        Guard("calibrated(encoder=wordllama)", run=run)
    with pytest.raises(InputError, match="names pairs by id, and the batch has none"):
        Guard(RATE, run=run).judge(x, torch.arange(2))
    with pytest.raises(RunError, match="is not a run"):
        Guard(RATE, run="nowhere")
