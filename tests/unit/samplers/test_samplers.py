from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.choosing import class_columns
from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.samplers import SAMPLERS, Band, Chooser, Quotas, Top, Uniform, plan, sample
from hardneg.table import Rows, grades

M = 12
ITEMS = Collection(
    pa.table({"id": [f"i{row}" for row in range(M)], "group": ["a", "b", None] * 4, "number": [1, 2, 3] * 4})
)


def kept(lists: list[list[tuple[int, float]]], positive: float = 0.5) -> Rows:
    """Kept candidates from one list of (item, score) an anchor, brought into order."""
    flat = [(a, -s, i) for a, one in enumerate(lists) for i, s in one]
    flat.sort()
    score = np.array([-s for _, s, _ in flat], np.float32)
    columns = {"score": score, "positive_score": np.full(len(flat), positive, np.float32)}
    rows = Rows(np.array([a for a, _, _ in flat], np.int64), np.array([i for _, _, i in flat], np.int64), columns)
    return rows.having(
        grade=grades(score, rows["positive_score"]),
        source=(1 + rows.item % 3).astype(np.uint32),
        source_score=score,
        rank=np.arange(len(flat), dtype=np.int32),
    )


def chosen(rows: Rows, anchors: int, *steps: str | Chooser, seed: int = 0) -> tuple[list[list[int]], list[int]]:
    """The chosen items of each anchor, hardest first, and what each lacks."""
    made = plan([SAMPLERS.make(step) for step in steps])
    mask, lacking = sample(rows, made, Collection.of(range(anchors)), ITEMS, ["s", "t"], seed)
    return [rows.item[mask & (rows.anchor == a)].tolist() for a in range(anchors)], lacking.tolist()


FOUR = kept([[(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.6)]])


def test_top_takes_the_hardest_and_ties_go_to_the_earlier_item() -> None:
    assert chosen(FOUR, 1, "top(n=2)") == ([[0, 1]], [0])
    tied = kept([[(5, 0.5), (3, 0.5), (4, 0.5), (1, 0.4)]])
    assert chosen(tied, 1, "top(n=2)") == ([[3, 4]], [0])


def test_band_takes_from_its_window_only() -> None:
    seen = {item for seed in range(40) for item in chosen(FOUR, 1, "band(n=1, skip=1, within=3)", seed=seed)[0][0]}
    assert seen == {1, 2}
    assert chosen(FOUR, 1, "band(n=3, skip=1, within=3)") == ([[1, 2]], [1])


def test_a_window_beyond_every_list_chooses_nothing() -> None:
    assert chosen(FOUR, 1, "band(n=2, skip=10)") == ([[]], [2])
    assert chosen(FOUR, 1, "band(n=2, skip=10)", "caps(per_item=1)") == ([[]], [2])
    assert chosen(FOUR, 1, Band(2, skip=10, on_short="fill")) == ([[0, 1]], [0])


@pytest.mark.parametrize("step", ["top", "band", "tempered", "uniform"])
def test_nothing_to_choose_from(step: str) -> None:
    assert chosen(kept([]), 2, step, "caps(1)", "quotas(hard=1, per_group=1, per_source=1)") == ([[], []], [8, 8])


@pytest.mark.parametrize(
    ("policy", "items", "lacking"),
    [("keep", [[0, 1], [0]], [1, 2]), ("drop", [[], []], [1, 2]), ("fill", [[0, 1], [0]], [1, 2])],
)
def test_short_anchors(policy: str, items: list[list[int]], lacking: list[int]) -> None:
    rows = kept([[(0, 0.9), (1, 0.8)], [(0, 0.7)]])
    assert chosen(rows, 2, f"top(n=3, on_short={policy})") == (items, lacking)


def test_fill_takes_what_a_quota_left_out_hardest_first() -> None:
    rows = kept([[(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.1)]])
    assert chosen(rows, 1, "top(n=3)", "quotas(easy=1)") == ([[3]], [2])
    assert chosen(rows, 1, "top(n=3, on_short=fill)", "quotas(easy=1)") == ([[0, 1, 3]], [0])


def test_filling_one_anchor_takes_nothing_that_another_chose() -> None:
    """Anchor 0 may not choose item 0 for its quota; filling up it must not take it from anchor 1."""
    rows = kept([[(0, 0.9), (1, 0.1)], [(0, 0.45), (2, 0.2)]])
    steps = ("top(n=2, on_short=fill)", "quotas(easy=0.5, semi_hard=0.5)", "caps(per_item=1)")
    assert chosen(rows, 2, *steps) == ([[1], [0, 2]], [1, 0])


def test_an_item_serves_those_for_whom_it_is_hardest() -> None:
    rows = kept([[(0, 0.5), (1, 0.4)], [(0, 0.9), (1, 0.3)], [(0, 0.5), (2, 0.1)]])
    assert chosen(rows, 3, "top(n=1)", "caps(per_item=1)") == ([[1], [0], [2]], [0, 0, 0])
    assert chosen(rows, 3, "top(n=1)", "caps(per_item=2)") == ([[0], [0], [2]], [0, 0, 0])


def labelled(lists: list[list[tuple[int, float]]], of_anchors: list[int], of_items: list[int]) -> Rows:
    """Kept candidates with the classes of their items and the pairs, as a mining gives them."""
    rows = kept(lists)
    classes = Classes(tuple("abcd"), np.array(of_anchors), np.array(of_items))
    return class_columns(plan([Top(), SAMPLERS.make("caps(per_pair=1)")]), classes)(rows)


def test_at_most_so_many_of_a_class_for_an_anchor() -> None:
    rows = labelled([[(item, 0.9 - item / 100) for item in range(6)]], [0], [1, 1, 1, 2, -1, -1])
    assert chosen(rows, 1, "top(n=6)", "quotas(per_class=1)")[0] == [[0, 3, 4, 5]]
    assert chosen(rows, 1, "top(n=6)", "quotas(per_class=2)")[0] == [[0, 1, 3, 4, 5]]


def test_a_confusion_has_a_cap_in_all_and_who_gets_nothing_takes_the_next() -> None:
    every = [(0, 0.9), (1, 0.8), (2, 0.7), (3, 0.1)]
    rows = labelled([every, [(item, score + 0.05) for item, score in every]], [0, 0], [1, 1, 2, -1])
    assert chosen(rows, 2, "top(n=1)", "caps(per_pair=1)")[0] == [[2], [0]]
    assert chosen(rows, 2, "top(n=4)", "caps(per_pair=1)")[0] == [[3], [0, 2, 3]]  # no class, no cap
    assert chosen(rows, 2, "top(n=2)", "caps(per_pair=1, per_item=1)")[0] == [[3], [0, 2]]


def test_filling_up_holds_to_a_cap_on_pairs() -> None:
    rows = labelled([[(0, 0.9), (1, 0.8), (2, 0.7)]], [0], [1, 1, 2])
    steps = ("top(n=3, on_short=fill)", "quotas(per_class=1)")
    assert chosen(rows, 1, *steps) == ([[0, 1, 2]], [0])
    assert chosen(rows, 1, *steps, "caps(per_pair=1)") == ([[0, 2]], [1])
    assert chosen(rows, 1, *steps, "caps(per_pair=1, per_item=1)") == ([[0, 2]], [1])


def test_a_column_of_the_candidates_is_a_group_as_well() -> None:
    rows = kept([[(item, 0.9 - item / 100) for item in range(6)]])
    rows = rows.having(cluster=np.array([4, 4, 7, -1, -1, 7], np.int32))
    assert chosen(rows, 1, "top(n=6)", "quotas(per_group=1, group=cluster)")[0] == [[0, 2, 3, 4]]


def test_limits_on_classes_need_classes() -> None:
    for text in ("quotas(per_class=1)", "caps(per_pair=1)"):
        with pytest.raises(OptionError, match="needs items with labels"):
            class_columns(plan([Top(), SAMPLERS.make(text)]), None)


def test_caps_have_a_default_only_where_none_is_given() -> None:
    assert [str(SAMPLERS.make(text)) for text in ("caps", "caps(3)", "caps(per_pair=9)")] == [
        "caps(per_item=20)", "caps(per_item=3)", "caps(per_pair=9)",
    ]  # fmt: skip


def test_limits_add_up() -> None:
    rows = kept([[(item, 0.9 - item / 100) for item in range(M)]])
    found = chosen(rows, 1, "top(n=6)", "quotas(per_group=2)", "quotas(per_source=2)", "caps(1)")[0][0]
    assert len(found) == 6
    assert max(np.bincount([1 + item % 3 for item in found])) <= 2


def test_what_has_no_group_is_a_group_by_itself() -> None:
    rows = kept([[(item, 0.9 - item / 100) for item in range(M)]])
    found = chosen(rows, 1, "top(n=12)", "quotas(per_group=1)")[0][0]
    assert found == [0, 1, 2, 5, 8, 11]
    assert chosen(rows, 1, "top(n=12)", "quotas(per_group=1, group=number)")[0][0] == [0, 1, 2]
    with pytest.raises(InputError, match=r"no column 'colour'.*id, group, number"):
        chosen(rows, 1, "top(n=12)", "quotas(per_group=1, group=colour)")


@given(
    st.integers(1, 40), st.tuples(*[st.none() | st.floats(0, 1)] * 3).filter(lambda s: any(x is not None for x in s))
)
def test_shares_become_counts_that_add_up(n: int, shares: tuple[float | None, ...]) -> None:
    total = sum(share or 0 for share in shares)
    if total > 1 or None not in shares:
        shares = tuple(None if share is None else share / (total or 1) for share in shares)
    if None not in shares and total == 0:
        return
    hard, semi_hard, easy = shares
    counts = Quotas(hard=hard, semi_hard=semi_hard, easy=easy).counts(n)
    assert sum(counts) == n
    for share, count in zip((easy, semi_hard, hard), counts, strict=True):
        assert share is None or abs(count - share * n) < 1 + 1e-6


@pytest.mark.parametrize(
    "text",
    ["top(n=0)", "top(on_short=never)", "band(skip=-1)", "band(skip=5, within=5)", "tempered(temperature=0)",
     "tempered(a=-1)", "quotas", "quotas(hard=1.1)", "quotas(hard=0.7, easy=0.7)",
     "quotas(hard=0.1, easy=0.1, semi_hard=0.1)",
     "quotas(per_group=0)", "quotas(per_class=0)", "caps(per_item=0)", "caps(per_pair=0)"],
)  # fmt: skip
def test_options_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(OptionError):
        SAMPLERS.make(text)


@pytest.mark.parametrize("step", [Uniform(3), Band(3, within=9), SAMPLERS.make("tempered(n=3)")], ids=str)
def test_the_seed_decides(step: Chooser) -> None:
    rows = kept([[(item, 0.9 - item / 100) for item in range(M)] for _ in range(5)])
    answers = [chosen(rows, 5, step, seed=seed)[0] for seed in (0, 0, 1)]
    assert answers[0] == answers[1] != answers[2]
    assert len({tuple(one) for one in answers[0]}) > 1  # anchors draw for themselves


def test_top_needs_no_seed() -> None:
    rows = kept([[(item, 0.9 - item / 100) for item in range(M)]])
    assert chosen(rows, 1, Top(3), seed=1) == chosen(rows, 1, Top(3), seed=2)
