"""What neighbors rules out while searching, against filters and brute force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.search import Approximate, Unlike
from hardneg.sources import SOURCES, Neighbors
from hardneg.sources._codes import unlike

RNG = np.random.default_rng(4)
N, M = 60, 900
ITEMS = RNG.normal(size=(M, 12)).astype(np.float32)
ANCHORS = (ITEMS[:N] + 0.4 * RNG.normal(size=(N, 12))).astype(np.float32)
LABELS = [None if row % 7 == 0 else f"class {row % 5}" for row in range(M)]


def judged(**columns: Any) -> Positives:
    """Anchor ``i`` has item ``i`` as its positive; both sides share the columns."""
    sides = []
    for name, count in (("q", N), ("d", M)):
        table = pa.table({"id": [f"{name}{row}" for row in range(count)]})
        for key, values in columns.items():
            table = table.append_column(key, pa.array(values[:count]))
        sides.append(Collection(table))
    rows = [f"q{row}" for row in range(N)], [f"d{row}" for row in range(N)]
    return Positives.from_pairs(*rows, anchors=sides[0], items=sides[1])


def candidates(positives: Positives, filters: Any = "known", **options: Any) -> dict[str, list[tuple[str, int]]]:
    run = mine(positives, sources=Neighbors(ANCHORS, ITEMS, **options), filters=filters, sampler="top(n=1)")
    table = run.candidates.kept().select(["anchor", "item", "rank"]).to_pylist()
    out: dict[str, list[tuple[str, int]]] = {}
    for row in table:
        out.setdefault(row["anchor"], []).append((row["item"], row["rank"]))
    return out


@pytest.mark.parametrize("reference", ["min", "mean", "max"])
def test_a_margin_in_the_search_keeps_what_the_filter_keeps(reference: str) -> None:
    """With every item a candidate the two agree, ranks and all; with few, the search still finds as many as asked."""
    margin = f"margin(relative=0.3, reference={reference})"
    inside = candidates(judged(), k=M, relative=0.3, reference=reference)
    assert inside == candidates(judged(), ["known", margin], k=M)
    short = candidates(judged(), ["known", margin], k=5)
    full = candidates(judged(), k=5, relative=0.3, reference=reference)
    assert sum(map(len, full.values())) == 5 * N > sum(map(len, short.values()))
    assert all(found == inside[anchor][:5] for anchor, found in full.items())


def test_items_of_ones_own_label_are_no_candidates() -> None:
    found = candidates(judged(label=LABELS), k=M, unlike=("label",))
    free = candidates(judged(label=LABELS), k=M)
    label = {f"d{row}": LABELS[row] for row in range(M)} | {f"q{row}": LABELS[row] for row in range(N)}
    for anchor, items in free.items():
        wanted = [item for item, _ in items if label[item] is None or label[item] != label[anchor]]
        assert [item for item, _ in found[anchor]] == wanted


def test_lists_of_labels_may_share_none() -> None:
    tags = [[f"t{row % 3}", f"t{row % 4}"] if row % 6 else [] for row in range(M)]
    found = candidates(judged(tags=tags), k=M, unlike=("tags",))
    for anchor, items in found.items():
        mine_ = set(tags[int(anchor[1:])])
        assert all(not mine_ & set(tags[int(item[1:])]) for item, _ in items)
    closed = sum(bool(set(tags[0 + one]) & set(tags[other])) for one in range(N) for other in range(M))
    assert sum(map(len, found.values())) == N * M - closed - sum(not tags[row] for row in range(N))


def test_the_first_ranks_can_be_passed_over() -> None:
    free = candidates(judged(), k=30)
    for anchor, items in candidates(judged(), k=10, skip=4).items():
        assert items == [one for one in free[anchor] if one[1] >= 4][:10]


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(InputError, match=r"The anchors have no column 'labl' to tell them apart by\. They have: label"):
        candidates(judged(label=LABELS), unlike=("labl",))


def test_numbers_and_text_of_one_value_are_one_code() -> None:
    left = Collection(pa.table({"id": ["a", "b"], "group": [7, 8]}))
    right = Collection(pa.table({"id": ["c", "d"], "group": pa.array(["8", None]).dictionary_encode()}))
    found = unlike(left, right, "group")
    assert isinstance(found, Unlike)
    assert found.anchors[1] == found.items[0] != found.anchors[0]
    assert found.items[1] == -1


@pytest.mark.parametrize(
    "text",
    ["neighbors(k=10, engine=approximate(recall=0.9))", "neighbors(k=10, unlike=[label, group], relative=0.1, skip=3)"],
)
def test_options_are_text(text: str) -> None:
    source = SOURCES.make(text)
    assert SOURCES.make(str(source)) == source


def test_an_engine_is_text_or_a_value() -> None:
    assert Neighbors(engine=Approximate(0.9)) == SOURCES.make("neighbors(engine=approximate(recall=0.9))")
    with pytest.raises(OptionError, match=r"There is no engine 'fais'. Did you mean 'faiss'\?"):
        Neighbors(engine="fais")


def test_the_manifest_says_how_it_was_searched() -> None:
    engine = "approximate(recall=0.9)"
    run = mine(judged(), sources=Neighbors(ANCHORS, ITEMS, k=5, engine=engine), sampler="top(n=1)")
    told = run.manifest["search"][f"neighbors(k=5, engine={engine})"]
    assert told["engine"] == "approximate"
    assert told["recall"] >= 0.9
    assert mine(judged(), sources=Neighbors(ANCHORS, ITEMS, k=5)).manifest["search"] == {
        "neighbors(k=5)": {"engine": "exact"}
    }


def test_a_step_that_fails_at_once_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    source = Neighbors(ANCHORS, ITEMS, unlike="nothing")
    with pytest.raises(InputError, match="no column 'nothing'"):
        mine(judged(), sources=source, out=tmp_path / "run")
    assert not list(tmp_path.iterdir())
    mine(judged(), sources=Neighbors(ANCHORS, ITEMS), out=tmp_path / "run")
