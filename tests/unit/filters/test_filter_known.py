from __future__ import annotations

import numpy as np
import pytest

from hardneg.filters import Duplicates, Known, Margin, Rank, judge_all
from hardneg.table import Array, Relation, Verdict

RELATIONS = np.array([one.value for one in Relation], np.uint8)
COLUMNS: dict[str, Array] = {"relation": RELATIONS, "score": np.full(len(RELATIONS), 0.9, np.float32)}


@pytest.mark.parametrize("shared", [True, False])
def test_every_relation_has_its_verdict(*, shared: bool) -> None:
    found, reasons = judge_all([Known(shared)], COLUMNS)
    told = {one.name: reasons[reason] for one, reason in zip(Relation, found["reason"], strict=True)}
    assert told == {
        "UNKNOWN": "",
        "NEGATIVE": "",
        "POSITIVE": "known.positive",
        "IGNORED": "known.ignored",
        "SELF": "known.self",
        "BARRED": "known.barred",
        "SHARED": "known.shared_positive" if shared else "",
        "OTHERWISE": "",
    }


def test_a_judged_negative_is_never_suspect_but_may_be_dropped() -> None:
    columns: dict[str, Array] = {
        "relation": np.array([Relation.NEGATIVE, Relation.UNKNOWN, Relation.NEGATIVE], np.uint8),
        "score": np.full(3, 0.9, np.float32),
        "positive_min": np.full(3, 0.5, np.float32),
        "positive_similarity": np.full(3, 1.0, np.float32),
        "copy_of": np.array([0, 0, 2], np.uint8),
        "rank": np.array([0, 0, 0], np.int32),
    }
    found, _ = judge_all([Margin(absolute=0.1), Rank(skip=5), Duplicates(similarity=0.9)], columns)
    assert found["verdict"].tolist() == [Verdict.KEEP, Verdict.SUSPECT, Verdict.DROP]


def test_the_first_filter_that_fires_gives_reason_and_evidence() -> None:
    columns: dict[str, Array] = {
        "relation": np.zeros(2, np.uint8),
        "score": np.array([0.9, 0.2], np.float32),
        "positive_min": np.full(2, 0.5, np.float32),
        "rank": np.array([0, 7], np.int32),
    }
    found, reasons = judge_all([Rank(skip=1, within=5), Margin(absolute=0.1)], columns)
    assert [reasons[one] for one in found["reason"]] == ["rank.too_early", "rank.too_late"]
    assert found["evidence"].tolist() == [0, 7]
    found, reasons = judge_all([Margin(absolute=0.1), Rank(skip=1, within=5)], columns)
    assert [reasons[one] for one in found["reason"]] == ["margin.absolute", "rank.too_late"]
    assert found["evidence"].tolist() == pytest.approx([0.4, 7])


def test_the_same_filter_may_come_twice() -> None:
    columns: dict[str, Array] = COLUMNS | {"positive_min": np.full(len(RELATIONS), 0.95, np.float32)}
    found, reasons = judge_all([Margin(ceiling=0.95), Margin(ceiling=0.8)], columns)
    assert {reasons[one] for one in found["reason"][RELATIONS != Relation.NEGATIVE]} == {"margin.ceiling"}
    assert np.isnan(found["evidence"][RELATIONS == Relation.NEGATIVE]).all()
