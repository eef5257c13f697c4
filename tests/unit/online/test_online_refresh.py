"""Negatives that follow the model: against a full search, swapped, incremental, in the background, resumed, shared."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

torch = pytest.importorskip("torch")
from tests.unit.online.helpdesk import FILTERS, WORDS, Words, hardest, helpdesk, moved, refresher, texts  # noqa: E402
from tests.unit.online.processes import in_processes  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from hardneg.collection import Collection  # noqa: E402
from hardneg.errors import InputError, RunError  # noqa: E402
from hardneg.online._filling import filled  # noqa: E402
from hardneg.online._states import load_state, save_state  # noqa: E402
from hardneg.online.live import Live  # noqa: E402
from hardneg.online.pairs import Pairs, as_dataset  # noqa: E402
from hardneg.online.refresh import Refresher  # noqa: E402
from hardneg.positives import Positives  # noqa: E402


def test_the_negatives_are_the_hardest_of_the_model_as_it_is() -> None:
    model = Words()
    some = refresher(model)
    first = some.refresh(0)
    assert (some.negatives.numpy() == hardest(model, some.positives, 3)).all()
    before, old = some.negatives.clone(), model.encode(texts(64, 2))
    moved(model)
    second = some.refresh(7)
    assert (some.negatives.numpy() == hardest(model, some.positives, 3)).all()
    both = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(before, some.negatives, strict=True)]
    assert second.overlap == pytest.approx(sum(both) / (24 * 3))
    assert 0 < second.overlap < 1
    now = model.encode(texts(64, 2))
    cosine = (old * now).sum(1) / np.linalg.norm(old, axis=1) / np.linalg.norm(now, axis=1)
    assert second.drift == pytest.approx(float(np.mean(1 - cosine)), abs=1e-5)
    assert (second.replaced, second.step, some.age(9)) == (7, 7, 2)
    assert "refresh/overlap" not in first.figures()
    assert second.figures()["refresh/overlap"] == second.overlap
    assert "new, after 7 steps, vectors moved by" in str(second)


def test_only_what_has_changed_is_encoded() -> None:
    model, positives = Words(), helpdesk()
    some = refresher(model)
    different = len({*texts(24, 1)}) + len({*texts(64, 2)})
    assert some.refresh(0).encoded == different
    assert some.refresh(1).encoded == 0  # the same weights: searched anew, nothing encoded
    more = pa.concat_tables([positives.items.table, Collection.of(["new", "twin"], texts=["a1 b2", "a1 b2"]).table])
    grown = Positives.from_pairs(
        ["q0", *(f"q{one}" for one in range(24))], ["d0", *(f"d{one}" for one in range(24))],
        anchors=positives.anchors, items=Collection(more),
    )  # fmt: skip
    assert some.refresh(2, grown).encoded == 1
    assert (some.negatives.numpy() == hardest(model, grown, 3)).all()
    moved(model)
    assert some.refresh(3).encoded == different + 1
    with pytest.raises(InputError, match="only be added at the end"):
        some.refresh(4, helpdesk())


def test_the_model_is_left_in_the_mode_it_was_in() -> None:
    model = Words()
    model.train()
    model.vectors.eval()
    refresher(model).refresh()
    assert (model.training, model.vectors.training) == (True, False)
    assert all(one.grad is None for one in model.parameters())


def test_a_mining_that_fails_is_no_silent_reuse() -> None:
    model = Words()
    some = refresher(model)
    some.refresh(0)
    before = some.negatives.clone()
    with torch.no_grad():
        next(model.parameters())[:] = float("nan")
    with pytest.raises(InputError, match="NaN"):
        some.refresh(5)
    assert torch.equal(some.negatives, before)
    assert len(some.records) == 1
    assert some.age(5) == 5


def test_runs_are_kept_with_their_accounts(tmp_path: Path) -> None:
    model = Words()
    some = refresher(model, out=tmp_path)
    for step in (0, 1):
        assert some.refresh(step).run is not None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["refresh-000", "refresh-001"]
    run = some.records[1].run
    assert run is not None
    assert run.ledger["sampled"] == 24 * 3
    with pytest.raises(RunError, match="exists"):  # those of another training are not overwritten
        refresher(model, out=tmp_path).refresh()


def test_empty_places_get_random_items_that_are_no_positives() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 5, 1])
    items = Collection(pa.table({"id": np.arange(36), "label": labels}))
    positives = Positives.from_labels(items)
    rows = np.full((36, 6), -1)
    rows[:, :2] = [rng.choice(np.flatnonzero(labels != one), 2, replace=False) for one in labels]
    used = np.arange(35)
    out, many = filled(rows, positives, used, 0, 0)
    assert many == 35 * 4
    assert (out[:, :2] == rows[:, :2]).all()
    assert (labels[out[:35]] != labels[:35, None]).all()
    assert (out[35, 2:] == -1).all()
    assert all(len(set(one.tolist())) == 6 for one in out[:35])  # six others there are for everybody
    assert not (filled(rows, positives, used, 1, 0)[0] == out).all()
    assert (filled(rows, positives, used, 0, 0)[0] == out).all()
    alone = Positives.from_pairs(["q", "q"], ["a", "b"])
    with pytest.raises(InputError, match="negative of the anchor 'q'"):
        filled(np.full((1, 2), -1), alone, np.array([0]), 0, 0)
    one = Positives.from_pairs(["q", "r"], ["a", "b"])
    assert filled(np.full((2, 3), -1), one, np.array([0, 1]), 0, 0)[0].tolist() == [[1, 1, 1], [0, 0, 0]]


def test_anchors_with_too_few_are_counted() -> None:
    some = refresher(Words(), filters=[*FILTERS, "margin(ceiling=0.2)"])
    record = some.refresh()
    assert record.run is not None
    assert record.filled == 24 * 3 - record.run.ledger["sampled"] > 0
    assert f"{record.filled} random where too few were found" in str(record)
    assert (some.negatives >= 0).all()


def test_in_the_background_what_was_begun_comes_into_use_at_the_next_refresh() -> None:
    model = Words()
    some = refresher(model, background="cpu")
    some.refresh(0)
    first = some.negatives.clone()
    assert some.advance(10) is None  # nothing was begun before
    begun = hardest(model, some.positives, 3)
    moved(model)
    assert torch.equal(some.negatives, first)
    record = some.advance(20)
    assert record is not None
    assert (record.step, record.swapped, some.age(20)) == (10, 20, 10)
    assert (some.negatives.numpy() == begun).all()
    record = some.finish(30)
    assert record is not None
    assert (some.negatives.numpy() == hardest(model, some.positives, 3)).all()
    assert some.finish(40) is None
    with torch.no_grad():
        next(model.parameters())[:] = float("nan")
    some.start(50)
    with pytest.raises(InputError, match="NaN"):
        some.advance(60)
    with pytest.raises(InputError, match="no second device"):
        refresher(model).start(0)


@pytest.mark.parametrize("background", [None, "cpu"])
def test_it_resumes(background: str | None, tmp_path: Path) -> None:
    model = Words()
    whole, second = (refresher(model, background=background) for _ in range(2))
    whole.refresh(0)
    whole.advance(1)
    save_state(whole.state_dict(), tmp_path / "state.safetensors")
    second.load_state_dict(load_state(tmp_path / "state.safetensors"))
    assert torch.equal(second.negatives, whole.negatives)
    moved(model)
    for step in (2, 3):
        one, other = whole.advance(step), second.advance(step)
        assert one is not None
        assert other is not None
        assert torch.equal(second.negatives, whole.negatives)
        assert (one.number, one.step, one.overlap) == (other.number, other.step, other.overlap)
    stricter = refresher(model, filters=["known", "duplicates", "margin(relative=0.2)"])
    with pytest.raises(InputError, match="other data, or with other steps"):
        stricter.load_state_dict(whole.state_dict())


def test_states_come_back_as_they_were(tmp_path: Path) -> None:
    state = {"a": torch.arange(3), "b": {"c": [1.5, None, torch.ones(0, 2), "x"]}, "d": [0.1 + 0.2], "e": 2**60}
    save_state(state, tmp_path / "one")
    back = load_state(tmp_path / "one")
    assert torch.equal(back["a"], state["a"])
    assert back["b"]["c"][2].shape == (0, 2)
    back["b"]["c"][2] = 0
    assert back["b"]["c"] == [1.5, None, 0, "x"]
    assert (back["d"], back["e"]) == (state["d"], state["e"])
    (tmp_path / "two").write_bytes((tmp_path / "one").read_bytes()[:50])
    for name in ("two", "three"):
        with pytest.raises(RunError, match="missing or damaged"):
            load_state(tmp_path / name)


def test_filters_that_doubt_labels_go_by_the_vectors_as_they_came() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(4), 60)
    words = [" ".join(rng.choice(WORDS[8 * one : 8 * one + 8], 4)) for one in truth]
    labels = [str(one) if known else None for one, known in zip(truth, rng.random(240) < 0.5, strict=True)]
    items = Collection(pa.table({"id": np.arange(240), "text": pa.array(words, pa.large_string()), "label": labels}))
    model = Words()
    some = Refresher(Positives.from_labels(items), refresher(model).live, sampler="top(n=2)", sources="neighbors(k=30)")
    first = some.refresh(0).run
    moved(model)
    second = some.refresh(1).run
    assert first is not None
    assert second is not None

    unguarded = (
        refresher(model, Positives.from_labels(items), filters=["known", "duplicates", "unlabelled"]).refresh().run
    )

    def member(run: Any) -> dict[tuple[int, int], str]:
        """The p-values that let unlabelled items through, NaN for labelled ones."""
        columns = (run.candidates.table.column(name).to_pylist() for name in ("anchor", "item", "member"))
        return {(a, b): str(p) for a, b, p in zip(*columns, strict=True)}

    one, other, wrong = member(first), member(second), member(unguarded)
    shared = one.keys() & other.keys() & wrong.keys()
    assert len(shared) > 100
    assert all(one[key] == other[key] for key in shared)
    assert any(one[key] != wrong[key] for key in shared)


def test_several_processes_have_what_the_first_mined(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    code = f"""
sys.path.insert(0, {root!r})
from tests.unit.online.helpdesk import Words, moved, refresher
model = Words(seed=rank)  # they would find different ones
some = refresher(model)
some.refresh(0)
record = some.refresh(3)
found = {{"negatives": some.negatives, "overlap": record.overlap, "run": record.run is not None, "error": ""}}
if rank == 0:
    with torch.no_grad():
        next(model.parameters())[:] = float("nan")
try:
    some.refresh(4)
except Exception as error:
    found["error"] = str(error)
"""
    one, other = in_processes(2, code, tmp_path)
    assert torch.equal(one["negatives"], other["negatives"])
    assert (one["overlap"], one["run"], other["run"]) == (other["overlap"], True, False)
    assert "NaN" in one["error"]
    assert "Process 0 could not mine" in other["error"]


def test_workers_see_new_negatives_at_once() -> None:
    model = Words()
    some = refresher(model)
    pairs = Pairs(some)
    with pytest.raises(InputError, match="no negatives yet"):
        pairs[0]
    some.refresh(0)
    loader = DataLoader(pairs, batch_size=7, num_workers=2, persistent_workers=True, collate_fn=list)
    for _ in range(2):
        expected, items = hardest(model, some.positives, 3), texts(64, 2)
        rows = [row for batch in loader for row in batch]
        assert len(rows) == len(pairs) == 48
        for row, anchor, positive in zip(rows, pairs.anchors, pairs.positives, strict=True):
            assert row["anchor"] == texts(24, 1)[anchor]
            assert row["positive"] == items[positive]
            assert [row[f"negative_{at}"] for at in (1, 2, 3)] == [items[one] for one in expected[anchor]]
        moved(model)
        some.refresh(1)


def test_a_datasets_table_shows_the_negatives_of_the_moment() -> None:
    pytest.importorskip("datasets")
    model = Words()
    some = refresher(model, sampler="top(n=1)")
    some.refresh()
    table = as_dataset(some)
    assert list(table[0]) == ["anchor", "positive", "negative"]
    before = table[:]["negative"]
    moved(model)
    some.refresh(1)
    assert table[:]["negative"] != before
    expected = hardest(model, some.positives, 1)[Pairs(some).anchors, 0]
    assert table[:]["negative"] == [texts(64, 2)[one] for one in expected]


def test_things_without_content_are_named() -> None:
    bare = Positives.from_pairs(["q"], ["a"], items=Collection.of(["a", "b"]))
    some = Refresher(bare, refresher(Words()).live)
    with pytest.raises(InputError, match="text"):
        some.refresh()


def test_any_module_is_a_live_model() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(0.5))

    def encode(model: Any, inputs: list[str], role: str) -> Any:
        return model(torch.tensor([[float(len(one)), float(role == "anchor")] for one in inputs]))

    live = Live(net, encode)
    one, other = (live.encoder().encode(["a", "bc"], role) for role in ("item", "anchor"))
    assert (one == live.encoder().encode(["a", "bc"], "item")).all()  # no dropout
    assert not np.allclose(one, other)
    before = live.version()
    assert live.version() == before
    with torch.no_grad():
        net[0].bias[0] += 1
    assert live.version() != before
    saved = io.BytesIO()
    torch.save(live.copied("cpu").model.state_dict(), saved)
