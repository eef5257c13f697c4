from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.positives import Positives

JUDGED = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 7), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, float("nan")])),
    min_size=1,
    max_size=25,
)


def ids_of(positives: Positives, name: str) -> dict[object, set[object]]:
    anchors, items = positives.anchors.ids.to_pylist(), positives.items.ids.to_pylist()
    lists = positives.lists()[name]
    return {anchors[row]: {items[int(one)] for one in lists[row]} for row in range(len(lists)) if len(lists[row])}


@given(JUDGED)
def test_grades_become_relations_and_the_better_judgement_counts(judged: list[tuple[int, int, float]]) -> None:
    left, right, grades = (list(column) for column in zip(*judged, strict=True))
    found = Positives.from_pairs(left, right, grades=np.array(grades), ignore=[2.0])
    strength: dict[tuple[int, int], int] = {}
    for anchor, item, grade in judged:
        kind = (
            "ignored" if grade != grade or grade == 2.0 or 0 < grade < 1 else "positive" if grade >= 1 else "negative"
        )
        rank = ["negative", "ignored", "positive"].index(kind)
        strength[anchor, item] = max(strength.get((anchor, item), -1), rank)
    for rank, name in enumerate(["negative", "ignored", "positive"]):
        wanted: dict[object, set[object]] = {}
        for (anchor, item), best in strength.items():
            if best == rank:
                wanted.setdefault(anchor, set()).add(item)
        assert ids_of(found, name) == wanted


def test_the_thresholds_are_the_users() -> None:
    grades = {"q": {"a": 3, "b": 2, "c": 1, "d": 0}}
    strict = Positives.from_qrels(grades, positive_from=3, negative_to=1)
    assert ids_of(strict, "positive") == {"q": {"a"}}
    assert ids_of(strict, "ignored") == {"q": {"b"}}
    assert ids_of(strict, "negative") == {"q": {"c", "d"}}
    with pytest.raises(OptionError, match="under 'positive_from'"):
        Positives.from_qrels(grades, positive_from=1, negative_to=1)


def test_unknown_ids_are_named() -> None:
    with pytest.raises(InputError, match=r"2 unknown item ids \('y', 'z'\)"):
        Positives.from_pairs(["q"] * 3, ["a", "y", "z"], items=Collection.of(["a"]))
    with pytest.raises(InputError, match="2 anchor ids and 1 item ids"):
        Positives.from_pairs(["q", "r"], ["a"])


def test_text_and_number_ids_meet() -> None:
    found = Positives.from_pairs([1], ["2"], anchors=Collection.of(["1"]), items=Collection.of([2, 3]))
    assert found.positive[0].tolist() == [0]


def test_excluded_is_all_that_is_no_negative() -> None:
    pairs = Positives.from_pairs(
        ["q", "q", "q", "r"], ["a", "b", "c", "d"], grades=np.array([1, 0.5, 0, 1]), items=Collection.of("abcdef")
    ).with_own(np.array([4, -1]))
    excluded = pairs.excluded(np.array([1, 0]))
    assert [excluded[0].tolist(), excluded[1].tolist()] == [[3], [0, 1, 4]]


def test_barring_passes_over_unknown_ids() -> None:
    pairs = Positives.from_pairs(["q"], ["a"], items=Collection.of("abc"))
    assert pairs.barring(["c", "x"]).barring(["b"]).barred.tolist() == [False, True, True]
    assert not pairs.barred.any()


@given(st.lists(st.sets(st.integers(0, 6), max_size=4), min_size=1, max_size=6))
def test_shared_equals_its_definition(lists: list[set[int]]) -> None:
    pairs = [(row, item) for row, one in enumerate(lists) for item in one]
    found = Positives.from_pairs(
        [a for a, _ in pairs], [b for _, b in pairs],
        anchors=Collection.of(range(len(lists))), items=Collection.of(range(7)),
    )  # fmt: skip
    shared = found.shared(np.arange(len(lists)))
    for row, mine in enumerate(lists):
        friends = [other for other in lists if other & mine]
        assert set(shared[row].tolist()) == set().union(*friends) - mine


_PART = st.tuples(st.sampled_from("xyz"), st.integers(0, 12), st.integers(1, 5), st.sampled_from(["yes", "no", None]))


@given(st.lists(_PART, min_size=2, max_size=12))
def test_parts_that_overlap_are_ignored_for_one_another(parts: list[tuple[str, int, int, str | None]]) -> None:
    labels = [label for *_, label in parts]
    if (None not in labels and len(set(labels)) == 1) or not any(labels):
        return
    items = Collection(
        pa.table(
            {
                "id": range(len(parts)),
                "audio": [file for file, *_ in parts],
                "start": pa.array([float(start) for _, start, *_ in parts], pa.float64()),
                "end": pa.array([float(start + length) for _, start, length, _ in parts], pa.float64()),
                "label": pa.array(labels, pa.string()),
            }
        )
    )
    made = Positives.from_segments(items)
    for anchor, row in enumerate(made.own.tolist()):
        file, start, length, _ = parts[row]
        meets = {
            other
            for other, (name, begin, long, _) in enumerate(parts)
            if other != row and name == file and begin < start + length and start < begin + long
        }
        same = {other for other, label in enumerate(labels) if label == labels[row]}
        assert set(made.ignored[anchor].tolist()) == meets - same
    assert made.classes is not None
    assert made.classes.column == "label"


def test_windows_that_slide_over_a_recording_are_no_list_of_all_pairs() -> None:
    count = 4000  # each shares some time with all others: sixteen million pairs
    start = pa.array(np.linspace(0, 1, count))
    labels = pa.array(["yes"] * (count - 3) + ["no", "no", None])
    table = pa.table({"id": range(count), "audio": ["x.wav"] * count, "start": start, "end": [9.0] * count})
    made = Positives.from_segments(Collection(table.append_column("label", labels)))
    assert made.ignored[0].tolist() == [count - 3, count - 2, count - 1]
    assert len(made.ignored.values) == (count - 3) * 3 + 2 * (count - 2)


def test_parts_with_several_values_overlap_where_their_sets_differ() -> None:
    labels = [["a", "b"], ["b", "a"], ["b"], None, ["c"]]
    table = pa.table({"id": range(5), "audio": ["x.wav"] * 5, "label": labels})
    made = Positives.from_segments(Collection(table), listed=1)
    assert set(made.ignored[0].tolist()) | set(made.positive[0].tolist()) >= {2, 3, 4}
    assert 1 not in made.ignored[0]


def test_segments_are_sounds_and_may_lack_times() -> None:
    table = pa.table({"id": ["a", "b", "c"], "audio": ["x.wav", "x.wav", "y.wav"], "speaker": ["s", "t", "t"]})
    assert Positives.from_segments(Collection(table), same="speaker").ignored[0].tolist() == [1]
    by_class = Positives.from_segments(Collection(table), same="speaker", anchors="classes")
    assert by_class.anchors.ids.to_pylist() == ["s", "t"]
    assert not len(by_class.ignored.values)
    with pytest.raises(InputError, match="no sounds"):
        Positives.from_segments(Collection.of(["a", "b"]))
