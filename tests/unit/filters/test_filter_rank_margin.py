from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import OptionError
from hardneg.filters import FILTERS, Margin, Rank


def test_the_window_is_half_open() -> None:
    columns = {"rank": np.arange(6, dtype=np.int32)}
    assert Rank(skip=2, within=4).judge(columns).rule.tolist() == [0, 0, -1, -1, 1, 1]
    assert Rank(within=1).judge(columns).rule.tolist() == [-1, 1, 1, 1, 1, 1]
    assert Rank().judge(columns).rule.tolist() == [-1] * 6


@pytest.mark.parametrize(
    ("step", "fires"),
    [
        (Margin(absolute=0), [False, False, True]),
        (Margin(relative=0), [False, False, True]),
        (Margin(absolute=0.1), [False, True, True]),
        (Margin(ceiling=0.5), [False, False, True]),
        (Margin(ceiling=0.5, reference="max"), [False, False, True]),
        (Margin(absolute=0, reference="max"), [False, False, False]),
    ],
    ids=str,
)
def test_a_score_at_the_limit_is_clear(step: Margin, fires: list[bool]) -> None:
    columns = {
        "score": np.array([0.25, 0.5, 0.75], np.float32),
        "positive_min": np.full(3, 0.5, np.float32),
        "positive_max": np.full(3, 0.75, np.float32),
    }
    assert (step.judge(columns).rule >= 0).tolist() == fires


def test_an_anchor_without_a_positive_score_fires_nothing() -> None:
    columns = {"score": np.ones(1, np.float32), "positive_min": np.full(1, np.nan, np.float32)}
    assert Margin(absolute=0.1, relative=0.1).judge(columns).rule.tolist() == [-1]


@pytest.mark.parametrize(
    "text", ["margin", "margin(relative=1)", "margin(relative=-0.1)", "margin(absolute=-1)", "rank(skip=-1)",
             "rank(skip=3, within=3)", "duplicates(similarity=0)", "agreement(reciprocal=0)",
             "rescore(m, relative=2)", "rescore(m, relative=0.1, within=0)", "agreement(encoder=e, margin=1)"],
)  # fmt: skip
def test_options_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(OptionError):
        FILTERS.make(text)
