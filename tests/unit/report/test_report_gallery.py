"""The gallery shows the right candidates, within its budget, and says what it leaves out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.report import gallery as module
from hardneg.report.choice import choose_anchors
from hardneg.report.embed import embedded_json
from hardneg.report.facts import Facts, State, title_lengths
from hardneg.report.gallery import gallery
from hardneg.run import Run

MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def facts(run: Run) -> Facts:
    return Facts.gather(run)


def test_cards_hold_what_the_tables_hold(run: Run, facts: Facts) -> None:
    data = gallery(facts).data
    texts = dict(zip(run.items.ids.to_pylist(), run.items.texts.to_pylist() if run.items.texts else [], strict=True))
    assert [card["id"] for card in data["anchors"]] == run.anchors.ids.to_pylist()
    for card in data["anchors"]:
        rows = {row["item"]: row for row in run.candidates.of(card["id"]).to_pylist()}
        assert sum(card["counts"]) == len(rows)
        for item, state, reason, grade, source, rank, score, evidence in card["rows"]:
            name, text, *_ = data["items"][item]
            row = rows[name]
            assert text == texts[name]
            assert data["reasons"][reason]["name"] == row["reason"]
            assert (data["grades"][grade], data["sources"][source]) == (row["grade"], row["source"])
            assert rank == row["rank"]
            assert score == pytest.approx(row["score"], rel=1e-4)
            assert (evidence is None) == np.isnan(row["evidence"])
            assert (data["states"][state] in ("sampled", "kept")) == (row["verdict"] == "keep")


def test_positives_stand_with_their_scores(run: Run, facts: Facts) -> None:
    data = gallery(facts).data
    expected = {(row["anchor"], row["item"]): row["score"] for row in run.relations.to_pylist()}
    found = {
        (card["id"], data["items"][item][0]): score for card in data["anchors"] for item, score in card["positives"]
    }
    assert found == {pair: pytest.approx(score, rel=1e-4) for pair, score in expected.items()}


def test_negatives_first_and_hardest_first(facts: Facts) -> None:
    for card in gallery(facts).data["anchors"]:
        keys = [(row[1], -row[6]) for row in card["rows"]]
        assert keys == sorted(keys)


def test_all_negatives_of_an_anchor_are_shown(facts: Facts) -> None:
    for card in gallery(facts).data["anchors"]:
        assert sum(row[1] == State.SAMPLED for row in card["rows"]) == card["counts"][State.SAMPLED]


def test_choice_of_anchors_takes_the_short_the_suspicious_and_a_spread(facts: Facts) -> None:
    chosen = choose_anchors(facts, 12)
    assert len(chosen) == len(set(chosen.tolist())) == 12
    lacking = facts.wanted - facts.by_anchor[:, State.SAMPLED]
    suspects = facts.by_anchor[:, State.SUSPECT]
    assert int(lacking.argmax()) in chosen
    assert int(suspects.argmax()) in chosen
    assert chosen.min() < 10 < 30 < chosen.max()
    assert np.array_equal(chosen, choose_anchors(facts, 12))


@pytest.mark.parametrize("budget", [200_000, 60_000, 30_000])
def test_the_data_fit_the_budget(facts: Facts, budget: int) -> None:
    made = gallery(facts, budget)
    assert len(embedded_json(made.data).encode()) <= budget
    assert made.anchors == 40


def test_a_long_text_is_cut_and_says_so(make_run: MakeRun) -> None:
    data = gallery(Facts.gather(make_run(hostile=True))).data
    cut = [(text, left) for _, text, left, _ in data["items"] if left]
    assert cut
    assert all(len(text) == 600 and left > 0 for text, left in cut)


def test_titles_are_told_from_texts() -> None:
    titles = ["Färöer 🐑", "", None, "Other"]
    texts = ["Färöer 🐑 sheep", "no title", "none", "title elsewhere"]
    things = Collection(pa.table({"id": ["a", "b", "c", "d"], "text": texts, "title": titles}))
    assert title_lengths(things, np.array([3, 0, 1, 2])) == [0, 9, 0, 0]
    assert title_lengths(Collection.of(["a"], texts=["one"]), np.array([0])) == [0]


def test_only_so_many_anchors(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LADDER", (module.Sizes(10, 50),))
    made = gallery(Facts.gather(make_run()))
    assert (made.shown, made.anchors) == (10, 40)
