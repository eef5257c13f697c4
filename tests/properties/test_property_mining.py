"""What must hold of any mining, whatever its data and its steps."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.worlds import by_anchor, files, neighbors, of_relation, pairs, scene

from hardneg import mining
from hardneg.filters import FILTERS, judge_all
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.search import Exact, auto
from hardneg.search.exact import Precision
from hardneg.testing._world import judged_pairs
from hardneg.testing._world import world as small_world

PRECISIONS: list[Precision] = ["float32", "bf16"] if find_spec("torch") else ["float32"]
LIGHT = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FILTER = st.sampled_from(
    ["known", "known(shared=false)", "duplicates", "duplicates(similarity=0.9)", "margin(relative=0.05)",
     "rank(skip=1)", "rank(skip=2, within=9)", "margin(absolute=0.2, reference=max)",
     "margin(ceiling=0.7, reference=mean)"]
)  # fmt: skip
CHOOSER = st.sampled_from(["top(n=4)", "band(n=3, skip=1, within=8)", "tempered(n=3)", "uniform(n=5)"])
LIMIT = st.sampled_from(["caps(per_item=2)", "quotas(hard=0.3)", "quotas(per_source=2)", "caps(per_item=1)"])
LIMITS = st.lists(LIMIT, max_size=2, unique=True)
FILTERS_DRAWN = st.lists(FILTER, max_size=4, unique=True)
POLICY = st.sampled_from(["keep", "drop", "fill"])
SOURCES = st.lists(st.sampled_from(["lexical(k=6)", "uniform(k=6)", "known_negatives"]), max_size=2, unique=True)


@st.composite
def minings(draw: st.DrawFn, policies: st.SearchStrategy[str] = POLICY) -> tuple[Positives, dict[str, Any]]:
    """The arguments of a mining."""
    positives, vectors = scene(
        draw(st.integers(0, 500)),
        draw(st.integers(1, 14)),
        draw(st.integers(4, 40)),
        numbers=draw(st.booleans()),
        similarity=draw(st.sampled_from(["cosine", "dot", "euclidean"])),
    )
    chooser = draw(CHOOSER)
    return positives, {
        "sources": [neighbors(vectors, draw(st.integers(1, 50))), *draw(SOURCES)],
        "filters": ["known", *draw(FILTERS_DRAWN)],
        "sampler": [chooser.replace(")", f", on_short={draw(policies)})"), *draw(LIMITS)],
        "seed": draw(st.integers(-5, 2**40)),
    }


@LIGHT
@given(minings())
def test_the_ledger_closes_and_counts_what_is_there(case: tuple[Positives, dict[str, Any]]) -> None:
    positives, steps = case
    run = mine(positives, **steps)
    book, table = run.ledger, run.candidates
    assert book["candidates"] == book["dropped"] + book["suspect"] + book["kept_not_sampled"] + book["sampled"]
    assert (book["candidates"], book["sampled"]) == (len(table), run.negatives.num_rows)
    assert (book["dropped"], book["suspect"]) == (table.dropped().num_rows, table.suspects().num_rows)
    assert sum(book["reasons"].values()) == book["dropped"] + book["suspect"]
    assert min(book[name] for name in ("dropped", "suspect", "kept_not_sampled", "sampled")) >= 0


@LIGHT
@given(minings())
def test_no_negative_is_anything_but_a_kept_candidate(case: tuple[Positives, dict[str, Any]]) -> None:
    positives, steps = case
    run = mine(positives, **steps)
    negatives = pairs(run.negatives)
    assert len(set(negatives)) == len(negatives)
    assert set(negatives) <= set(pairs(run.candidates.kept()))
    assert not set(negatives) & (of_relation(run, "positive") | of_relation(run, "ignored"))
    anchors, items = positives.anchors.ids.to_pylist(), positives.items.ids.to_pylist()
    own = {(anchors[row], items[int(item)]) for row, item in enumerate(positives.own) if item >= 0}
    barred = {items[int(row)] for row in np.flatnonzero(positives.barred)}
    assert not set(negatives) & own
    assert not {item for _, item in negatives} & barred
    known = of_relation(run, "negative")
    assert not set(pairs(run.candidates.suspects())) & known


@LIGHT
@given(minings())
def test_numbers_and_caps_hold(case: tuple[Positives, dict[str, Any]]) -> None:
    positives, steps = case
    run = mine(positives, **steps)
    wanted, sampled = run.manifest["wanted"], by_anchor(run.negatives)
    assert max(map(len, sampled.values()), default=0) <= wanted
    caps = [int(one[-2]) for one in steps["sampler"] if one.startswith("caps")]
    served = run.negatives.column("item").to_pylist()
    assert max((served.count(item) for item in served), default=0) <= min(caps, default=10**9)
    if run.manifest["shortage"]["policy"] == "drop":
        assert all(len(items) == wanted for items in sampled.values())
    missing = sum(wanted - len(sampled.get(anchor, [])) for anchor in positives.anchors.ids.to_pylist())
    if run.manifest["shortage"]["policy"] != "drop":
        assert run.manifest["shortage"]["missing"] == missing


@LIGHT
@given(minings(st.sampled_from(["keep", "drop"])))
def test_judging_again_with_the_same_steps_changes_nothing(case: tuple[Positives, dict[str, Any]]) -> None:
    positives, steps = case
    run = mine(positives, **steps)
    again = refilter(run)
    _expect_equal(again, run)
    assert again.manifest["shortage"] == run.manifest["shortage"]


@LIGHT
@given(minings(st.sampled_from(["keep", "drop"])), FILTERS_DRAWN, CHOOSER)
def test_judging_again_equals_mining_anew(
    case: tuple[Positives, dict[str, Any]], filters: list[str], chooser: str
) -> None:
    positives, steps = case
    new = {"filters": ["known", *filters], "sampler": chooser}
    _expect_equal(refilter(mine(positives, **steps), **new), mine(positives, **{**steps, **new}))  # type: ignore[arg-type]


def _expect_equal(one: Run, other: Run) -> None:
    assert one.ledger == other.ledger
    assert one.manifest["steps"] == other.manifest["steps"]
    assert _bytes(one.negatives) == _bytes(other.negatives)
    shared = [name for name in one.candidates.table.column_names if name in other.candidates.table.column_names]
    assert _bytes(one.candidates.table.select(shared)) == _bytes(other.candidates.table.select(shared))


def _bytes(table: pa.Table) -> list[tuple[str, list[object]]]:
    """The content of a table; NaN equals itself."""
    return [(name, [repr(value) for value in table.column(name).to_pylist()]) for name in table.column_names]


@LIGHT
@given(minings(), st.integers(1, 9), st.integers(1, 20), st.sampled_from(PRECISIONS), st.integers(1, 9))
def test_blocks_and_precision_change_no_byte(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[Positives, dict[str, Any]],
    anchors: int,
    items: int,
    precision: Precision,
    part: int,
) -> None:
    positives, steps = case
    folder = tmp_path_factory.mktemp("blocks")
    plain = files(mine(positives, **steps, out=folder / "a").path)
    with _searching(Exact(anchors, items, precision)):
        assert files(mine(positives, **steps, out=folder / "b").path) == plain
    with pytest.MonkeyPatch.context() as patch:  # the parts of a run are files, so here rows are compared
        patch.setattr(mining, "PART", part)
        small = mine(positives, **steps)
    whole = Run.open(folder / "a")
    assert _bytes(small.negatives) == _bytes(whole.negatives)
    assert _bytes(small.candidates.table) == _bytes(whole.candidates.table)
    assert small.ledger == whole.ledger


class _searching:  # noqa: N801 - used like a function
    """Search with this engine."""

    def __init__(self, engine: Exact) -> None:
        self.wanted, self.used = engine, False

    def __enter__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(auto, "Exact", self.engine)

    def __exit__(self, *_: object) -> None:
        self.patch.undo()
        assert self.used

    def engine(self, **_: object) -> Exact:
        self.used = True
        return self.wanted


WORLD = judged_pairs(small_world())


@settings(max_examples=60, deadline=None)
@given(st.lists(FILTER, min_size=1, max_size=4, unique=True), st.sampled_from([(14, 60), (60, 14), (1, 840), (7, 120)]))
def test_filters_say_the_same_of_rows_and_of_a_matrix(texts: list[str], shape: tuple[int, int]) -> None:
    filters = [FILTERS.make(text) for text in texts]
    rows = WORLD.having(copy_of=(WORLD.item % 4).astype(np.uint8))
    flat, reasons = judge_all(filters, rows.columns)
    matrix, same = judge_all(filters, {name: values.reshape(shape) for name, values in rows.columns.items()})
    assert same == reasons
    for name, values in flat.items():
        assert np.array_equal(matrix[name].ravel(), values, equal_nan=name == "evidence")
