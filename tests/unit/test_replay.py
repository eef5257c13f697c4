from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.report.conftest import build

from hardneg.collection import Collection
from hardneg.contents import content_keys
from hardneg.decisions import FILE, Decision, append, now
from hardneg.errors import InputError
from hardneg.io.readers import ReadOptions, decisions_of, read
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.recipe import Recipe
from hardneg.replay import replayed
from hardneg.run import Run
from hardneg.sources import Neighbors

ITEMS = [f"d{at}" for at in range(8)]
TEXTS = [f"passage {at}" for at in range(8)]


def faq(ids: list[str] | None = None, texts: list[str] | None = None) -> Positives:
    items = Collection.of(ids or ITEMS, texts=texts or TEXTS)
    first = items.ids[0].as_py()
    anchors = Collection.of(["q", "r"], texts=["one?", "two?"])
    return Positives.from_pairs(["q", "r"], [first, first], anchors=anchors, items=items)


def said(item: str, answer: str, anchor: str = "q", who: str = "ada", positives: Positives | None = None) -> Decision:
    """A decision as a review makes it, with the contents of the things."""
    of = positives or faq()
    left, right = of.anchors.positions([anchor]), of.items.positions([item])
    keys = content_keys(of.anchors, left)[0], content_keys(of.items, right)[0]
    return Decision(anchor, item, answer, who, now(), *keys)  # type: ignore[arg-type]


def lists(positives: Positives) -> dict[str, set[tuple[int, int]]]:
    return {
        name: set(zip(one.rows().tolist(), one.values.tolist(), strict=True)) for name, one in positives.lists().items()
    }


def test_by_id_each_answer_becomes_its_relation() -> None:
    found = replayed(faq(), [said("d1", "positive"), said("d2", "negative"), said("d3", "ignore"), said("d4", "skip")])
    assert lists(found.positives) == {
        "positive": {(0, 0), (1, 0), (0, 1)}, "negative": {(0, 2)}, "ignored": {(0, 3)},
    }  # fmt: skip
    assert found.counts["by_id"] == 3
    assert found.counts["skipped"] == 1


def test_by_content_under_other_ids_and_on_every_copy() -> None:
    other = faq([f"x{at}" for at in range(8)], [*TEXTS[:6], TEXTS[1], "new"])
    found = replayed(other, [said("d1", "positive"), said("d7", "negative")])
    assert lists(found.positives)["positive"] == {(0, 0), (1, 0), (0, 1), (0, 6)}
    assert (found.counts["by_content"], found.counts["unmatched"]) == (1, 1)


def test_an_id_that_stands_for_something_else_is_not_the_same() -> None:
    moved = faq(ITEMS, ["other", *TEXTS[2:], "more"])
    found = replayed(moved, [said("d1", "positive"), said("d2", "ignore"), said("d0", "negative")])
    assert found.counts["by_content"] == 1
    assert found.counts["changed"] == 2
    assert lists(found.positives)["ignored"] == {(0, 1)}


def test_a_dispute_changes_nothing_and_is_counted() -> None:
    votes = [said("d1", "positive"), said("d1", "negative", who="ben")]
    found = replayed(faq(), votes)
    assert found.counts["disputed"] == 1
    assert lists(found.positives) == lists(faq())
    settled = replayed(faq(), [*votes, said("d1", "negative", who="cleo")])
    assert lists(settled.positives)["negative"] == {(0, 1)}


def test_labels_of_the_data_are_never_taken_away() -> None:
    found = replayed(faq(), [said("d0", "negative"), said("d0", "ignore", "r")])
    assert found.counts["against_labels"] == 2
    assert lists(found.positives) == lists(faq())
    table = pa.table({"id": ["a", "b", "c"], "label": ["cat", "cat", "dog"]})
    by_label = Positives.from_labels(Collection(table), listed=1)
    words = [Decision("a", "b", "negative", "ada", now()), Decision("a", "c", "positive", "ada", now())]
    found = replayed(by_label, words)
    assert found.counts["against_labels"] == 1
    assert found.positives.positive[0].tolist() == [1, 2]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("qrz"), st.integers(0, 9), st.sampled_from(["positive", "negative", "ignore"])))
)
def test_every_pair_has_one_relation_and_one_count(pairs: list[tuple[str, int, str]]) -> None:
    decisions = [Decision(anchor, f"d{item}", answer, "ada", now()) for anchor, item, answer in pairs]  # type: ignore[arg-type]
    found = replayed(faq(), decisions)
    last = {(anchor, item): answer for anchor, item, answer in pairs}
    expected = lists(faq())
    for (anchor, item), answer in last.items():
        if anchor != "z" and item < 8 and item != 0:
            expected[{"ignore": "ignored"}.get(answer, answer)].add(("qr".index(anchor), item))
    assert lists(found.positives) == expected
    counts = found.counts
    assert counts["by_id"] + counts["unmatched"] == len(last)


def test_refiltering_makes_use_of_a_review(tmp_path: Path) -> None:
    run = build(tmp_path / "run")
    table = run.negatives
    mined = list(zip(table["anchor"].to_pylist(), table["item"].to_pylist(), strict=True))
    suspects = run.candidates.suspects()
    freed = (suspects["anchor"][0].as_py(), suspects["item"][0].as_py())
    answers = [(mined[0], "positive"), (mined[9], "ignore"), (mined[17], "negative"), (freed, "negative")]
    append(run.path / FILE, [Decision(*pair, answer, "ada", now()) for pair, answer in answers])  # type: ignore[arg-type]
    made = refilter(run, out=tmp_path / "b")
    after = dict(zip(zip(*(made.candidates.table[name].to_pylist() for name in ("anchor", "item")), strict=True),
                     zip(*(made.candidates.table[name].to_pylist() for name in ("verdict", "reason")), strict=True),
                     strict=True))  # fmt: skip
    assert after[mined[0]] == ("drop", "known.positive")
    assert after[mined[9]] == ("drop", "known.ignored")
    assert after[freed][0] == "keep"
    left = set(zip(made.negatives["anchor"].to_pylist(), made.negatives["item"].to_pylist(), strict=True))
    assert not {mined[0], mined[9]} & left
    assert made.manifest["decisions"]["by_id"] == 4
    scores = dict(zip(mined, table["score"].to_pylist(), strict=True))
    relations = made.relations.to_pylist()
    assert {(one["anchor"], one["item"]): one["score"] for one in relations if one["relation"] == "positive"}[
        mined[0]
    ] == pytest.approx(scores[mined[0]])
    own = run.candidates.of(mined[0][0])["positive_score"][0].as_py()
    assert made.candidates.of(mined[0][0])["positive_score"][0].as_py() != pytest.approx(own)


def test_refiltering_agrees_with_mining_on_the_same_decisions(tmp_path: Path) -> None:
    """Where no copy and no shared positive is involved, a new search says the same as the stored candidates."""
    rng = np.random.default_rng(5)
    items = rng.normal(size=(60, 8)).astype("f4")
    anchors = rng.normal(size=(10, 8)).astype("f4")
    ids = [f"d{at}" for at in range(60)]
    relations = Positives.from_pairs([f"q{at}" for at in range(10)], ids[:10], items=Collection.of(ids))
    steps = {"sources": Neighbors(anchors, items, k=59), "filters": ["margin(relative=0.1, reference=max)"]}
    run = mine(relations, **steps, sampler="top(n=5)", out=tmp_path / "run")  # type: ignore[arg-type]
    decisions = [
        Decision(f"q{at}", f"d{at + 10 + shift}", answer, "ada", now())  # type: ignore[arg-type]
        for at in range(10)
        for shift, answer in ((0, "positive"), (17, "negative"), (33, "ignore"))
    ]
    again = mine(replayed(relations, decisions).positives, **steps, sampler="top(n=5)", out=tmp_path / "again")  # type: ignore[arg-type]
    quick = refilter(run, decisions=decisions, out=tmp_path / "quick")
    for name in ("anchor", "item", "score", "grade"):
        assert again.negatives[name].to_pylist() == quick.negatives[name].to_pylist()
    one, other = (sorted(map(str, made.relations.to_pylist())) for made in (again, quick))
    assert one == other


def test_without_decisions_refiltering_gives_the_same_bytes(tmp_path: Path) -> None:
    run = build(tmp_path / "run")
    before = refilter(run, out=tmp_path / "b")
    append(run.path / FILE, [Decision("nobody", "d1", "positive", "ada", now())])
    after = refilter(run, out=tmp_path / "c")
    assert after.manifest["decisions"]["unmatched"] == 1
    for file in (
        "negatives.parquet",
        "positives.parquet",
        "items.parquet",
        *(one["file"] for one in run.manifest["parts"]),
    ):
        assert (before.path / file).read_bytes() == (after.path / file).read_bytes(), file


def test_a_replaced_run_keeps_its_decisions(tmp_path: Path) -> None:
    run = build(tmp_path / "run")
    append(run.path / FILE, [Decision("q1", "d1", "skip", "ada", now())])
    from hardneg.mining import Settings

    again = build(tmp_path / "run", settings=Settings(overwrite=True))
    assert isinstance(again, Run)
    assert (again.path / FILE).is_file()


def test_decisions_of_a_run_are_read_with_other_data(tmp_path: Path) -> None:
    lines = [f'{{"anchor": "question {at}?", "positive": "answer {at}"}}' for at in range(6)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    plain = read(tmp_path / "pairs.jsonl").positives
    ids = plain.anchors.ids.to_pylist(), plain.items.ids.to_pylist()
    keys = [content_keys(side, np.arange(6)) for side in (plain.anchors, plain.items)]
    (tmp_path / "run").mkdir()
    append(tmp_path / "run" / FILE, [
        Decision(ids[0][0], ids[1][1], "positive", "ada", now()),
        Decision("old id", "old id", "ignore", "ada", now(), keys[0][2], keys[1][3]),
    ])  # fmt: skip
    found = read(tmp_path / "pairs.jsonl", options=ReadOptions(decisions=(tmp_path / "run",)))
    assert found.positives.positive[0].tolist() == [0, 1]
    assert found.positives.ignored[2].tolist() == [3]
    assert (found.decisions["by_id"], found.decisions["by_content"]) == (1, 1)
    with pytest.raises(InputError, match="There are no decisions here"):
        decisions_of([tmp_path / "none"])


def test_relations_are_as_before_where_nobody_decided() -> None:
    before = faq()
    after = replayed(before, []).positives
    assert all(isinstance(one, Ragged) for one in after.lists().values())
    assert lists(after) == lists(before)


def test_decisions_stand_in_the_recipe_relative_to_it(tmp_path: Path) -> None:
    recipe = Recipe(tmp_path / "data", read=ReadOptions(decisions=(tmp_path / "runs" / "a", tmp_path / "more.jsonl")))
    text = recipe.text(tmp_path / "runs" / "b")
    assert tomllib.loads(text)["data"]["decisions"] == ["../a", "../../more.jsonl"]
    assert Recipe.parse(text, tmp_path / "runs" / "b") == recipe
