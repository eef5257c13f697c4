from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.conftest import build

from hardneg.agreement import agreement, cohen_kappa, fleiss_kappa
from hardneg.decisions import FILE, Decision, append, now
from hardneg.errors import OptionError
from hardneg.report.facts import State
from hardneg.review.answers import Answers
from hardneg.review.desk import Desk
from hardneg.review.differences import differences
from hardneg.review.queues import QUEUES, border
from hardneg.review.screens import place_of
from hardneg.review.view import View, listed


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk.of(build(tmp_path_factory.mktemp("desk") / "run"))


@pytest.fixture
def answers(desk: Desk, tmp_path: Path) -> Answers:
    return Answers(desk, tmp_path / FILE)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1))
def test_cohen_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one, other = zip(*pairs, strict=True)
    mine = cohen_kappa(one, other)
    if mine is None:
        assert len({*one, *other}) == 1
    else:
        assert mine == pytest.approx(metrics.cohen_kappa_score(one, other))


def test_fleiss_gives_the_published_example() -> None:
    """Fleiss 1971 by way of the worked example with 14 raters, 10 subjects and 5 categories: 0.210."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    assert fleiss_kappa([dict(zip("abcde", row, strict=True)) for row in table]) == pytest.approx(0.20993, abs=1e-5)


def test_skips_are_no_answers() -> None:
    def one(answer: str, who: str) -> Decision:
        return Decision("q", "d", answer, who, now())  # type: ignore[arg-type]

    found = agreement(
        {
            "ben": {1: one("positive", "ben"), 2: one("negative", "ben")},
            "ada": {1: one("positive", "ada"), 2: one("skip", "ada")},
        }
    )
    assert (found.pairwise[0].one, found.pairwise[0].other) == ("ada", "ben")
    assert (found.pairwise[0].both, found.pairwise[0].same, found.shared) == (1, 1, 1)
    assert found.counts["ada"] == Counter(positive=1, skip=1)


@given(st.lists(st.tuples(st.booleans(), st.floats(-1, 1, width=16)), min_size=1, max_size=30))
def test_the_border_has_the_fewest_on_the_wrong_side(pairs: list[tuple[bool, float]]) -> None:
    suspect, gap = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
    edge = border(suspect, gap)
    if suspect.all() or not suspect.any():
        assert np.isnan(edge)
        return

    def wrong(at: float) -> int:
        return int((suspect & (gap < at)).sum() + (~suspect & (gap > at)).sum())

    middles = [(a + b) / 2 for a in gap for b in gap]
    assert wrong(edge) <= min(map(wrong, [-2.0, 2.0, *(one for one in middles if one not in gap)]))


def test_queues_hold_what_they_say(desk: Desk) -> None:
    state = desk.facts.state
    rows = {name: queue.rows(desk) for name, queue in QUEUES.items()}
    assert set(state[rows["suspects"]]) == {State.SUSPECT}
    assert set(state[rows["harm"]]) == {State.SAMPLED}
    assert State.DROPPED not in set(state[rows["doubt"]])
    assert len(rows["all"]) == len(desk)
    for one in rows.values():
        assert len(set(one.tolist())) == len(one)
    mined = desk.mined[desk.facts.item[rows["harm"]]]
    assert (np.diff(mined) <= 0).all()
    gap = desk.columns["gap"][rows["doubt"]]
    edge = border(state[rows["doubt"]] == State.SUSPECT, gap)
    assert (np.diff(np.abs(gap - edge)) >= -1e-6).all()


def test_greatest_doubt_is_nearest_to_even_odds_where_there_are_odds(desk: Desk) -> None:
    odds = np.linspace(0, 1, len(desk), dtype=np.float32)
    told = Desk(desk.facts, {**desk.evidence, "positive_probability": odds}, desk.relation)
    rows = QUEUES["doubt"].rows(told)
    assert (np.diff(np.abs(odds[rows] - 0.5)) >= 0).all()


@given(st.data())
def test_a_view_survives_its_address(data: st.DataObject) -> None:
    from urllib.parse import parse_qsl

    text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
    view = View.from_query({name: data.draw(text) for name in ("who", "queue", "search", "reason", "sort", "least")})
    assert View.from_query(dict(parse_qsl(view.query()))) == View.from_query({k: v for k, v in vars(view).items() if v})


def test_views_filter_as_brute_force_does(desk: Desk, answers: Answers) -> None:
    facts = desk.facts
    items, anchors = desk.run.items.texts, desk.run.anchors.texts
    assert items is not None
    assert anchors is not None
    reason = "margin.relative"
    view = View("ada", "all", reason=reason, search="TOPIC 4", sort="score", down="0", least="0.1", most="0.8")
    rows = listed(desk, answers, view.checked(desk))
    expected = [
        row
        for row in range(len(desk))
        if facts.reason.names[facts.reason.codes[row]] == reason
        and 0.1 <= facts.score[row] <= 0.8
        and ("topic 4" in items[int(facts.item[row])].as_py() or "topic 4" in anchors[int(facts.anchor[row])].as_py())
    ]
    assert sorted(rows.tolist()) == expected
    assert len(expected) > 3, expected
    assert (np.diff(facts.score[rows]) >= 0).all()


def test_what_is_answered_can_be_filtered_by(desk: Desk, answers: Answers) -> None:
    answers.decide(5, "negative", "ada")
    answers.decide(6, "positive", "ada")
    answers.decide(6, "negative", "ben")

    def rows(answered: str, who: str = "ada") -> list[int]:
        return [int(row) for row in listed(desk, answers, View(who, "all", answered=answered))]

    assert rows("mine") == [5, 6]
    assert rows("mine", "ben") == [6]
    assert rows("disputed") == [6]
    assert len(rows("nobody")) == len(desk) - 2
    assert answers.undo("ben") == 6
    assert rows("disputed") == []
    assert answers.undo("ben") is None


@pytest.mark.parametrize("change", [{"queue": "none"}, {"sort": "colour"}, {"least": "inf"}, {"state": "gone"}])
def test_a_view_that_is_not_there_is_told(desk: Desk, change: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="Got"):
        View("ada", **{"queue": "all"} | change).checked(desk)


def test_answers_of_other_processes_and_of_other_runs_are_seen(desk: Desk, answers: Answers) -> None:
    assert answers.reviewers == {}
    append(answers.path, [desk.decision(3, "ignore", "ben"), Decision("no", "such", "negative", "ben", now())])
    assert set(answers.of("ben")) == {3}
    assert len(answers.decisions) == 2
    assert answers.undo("ben") == 3


def test_places_in_a_list() -> None:
    rows, nothing = np.array([7, 3, 5, 9]), np.zeros(4, bool)
    assert place_of(rows, nothing).row == 7
    assert place_of(rows, nothing, after=3).row == 5
    assert place_of(rows, nothing, at=5).before == 3
    assert place_of(rows, np.array([0, 1, 1, 1], bool), after=9).row == 7
    assert place_of(rows, np.ones(4, bool)).row is None
    assert place_of(rows, nothing, after=99).row == 7


@given(st.text(max_size=80), st.text(max_size=80))
def test_marking_differences_loses_no_character(text: str, other: str) -> None:
    spans = differences(text, other)
    assert "".join(piece for piece, _ in spans) == text
    assert all(kind != "differs" for _, kind in differences(text, text))


def test_text_ids_and_numbers_are_found(tmp_path: Path) -> None:
    desk = Desk.of(build(tmp_path / "run", numbers=True, texts=False))
    anchor, item = (side.ids[int(rows[0])].as_py() for side, rows in
                    ((desk.run.anchors, desk.facts.anchor), (desk.run.items, desk.facts.item)))  # fmt: skip
    assert desk.rows_of([anchor, str(anchor), "no"], [item, str(item), item]).tolist() == [0, 0, -1]


def test_texts_that_are_not_alike_are_not_marked_all_over() -> None:
    assert differences("the cat sat on the mat", "a man of law has come") == [("the cat sat on the mat", "")]
    marked = [piece for piece, kind in differences("the cat sat on the mat", "the dog sat on the mat") if kind]
    assert marked == ["cat"]
