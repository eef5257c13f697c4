"""Labelled runs in the report: counts of the confusion map, pictures within the budget, words that fit."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.labelled import labelled

from hardneg.report import gallery as gallery_module
from hardneg.report import write_report
from hardneg.report.confusion import MOST, confusion
from hardneg.report.embed import embedded_json
from hardneg.report.facts import Coded, Facts
from hardneg.report.gallery import gallery
from hardneg.report.pictures import Album, Thumb
from hardneg.report.shortfall import shortfall
from hardneg.run import Run

pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return labelled(tmp_path_factory.mktemp("labelled"))


def by_hand(run: Run, table: Any) -> Counter[tuple[str, str]]:
    """Pairs of classes, in plain Python."""

    def listed(label: Any) -> list[str]:
        return [label] if isinstance(label, str) else list(label or ["no label"])

    items = dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))
    anchors = dict(zip(run.anchors.ids.to_pylist(), run.anchors.table.column("label").to_pylist(), strict=True))
    pairs = zip(table.column("anchor").to_pylist(), table.column("item").to_pylist(), strict=True)
    return Counter(two for one, other in pairs for two in product(listed(anchors[one]), listed(items[other])))


@pytest.mark.parametrize(
    "options", [{}, {"anchors": "classes"}, {"several": True}], ids=["items", "classes", "several"]
)
def test_the_map_counts_pairs_of_classes(tmp_path: Path, options: dict[str, Any]) -> None:
    run = labelled(tmp_path, "none", **options)
    data = confusion(Facts.gather(run))
    assert data is not None
    for one, table in zip(data.maps, (run.negatives, run.candidates.suspects()), strict=True):
        expected = by_hand(run, table)
        found = {
            (name, column): cell.count
            for name, cells, _ in one.rows
            for column, cell in zip(data.columns, cells, strict=True)
            if cell.count
        }
        assert found == expected
        assert one.total == expected.total()
        assert all(total == sum(n for (row, _), n in expected.items() if row == name) for name, _, total in one.rows)
        assert all((cell.level > 0) == (cell.count > 0) for _, cells, _ in one.rows for cell in cells)
    first = data.pairs[0]
    sums = by_hand(run, run.negatives) + by_hand(run, run.candidates.suspects())
    assert sums[first.anchor, first.item] == max(n for (_, item), n in sums.items() if item != "no label")


def test_the_examples_of_a_pair_are_its_hardest(run: Run) -> None:
    data = confusion(Facts.gather(run))
    assert data is not None
    labels = dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))
    rows = run.candidates.table.to_pylist()
    sampled = {(row["anchor"], row["item"]) for row in run.negatives.to_pylist()}
    for pair in data.pairs:
        assert pair.examples
        of_pair = [
            row
            for row in rows
            if (labels[row["anchor"]], labels[row["item"]]) == (pair.anchor, pair.item)
            and (row["verdict"] == "suspect" or (row["anchor"], row["item"]) in sampled)
        ]
        assert pair.examples[0].score == max(row["score"] for row in of_pair)
        assert len(of_pair) == pair.negatives + pair.suspects
        for one in pair.examples:
            assert one.anchor is not None
            assert (one.anchor.label, one.item.label) == (pair.anchor, pair.item)
            assert one.anchor.picture is not None


def test_many_classes_are_cut_to_the_most_confused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.report.confusion.MOST", 3)
    data = confusion(Facts.gather(labelled(tmp_path, "none")))
    assert data is not None
    assert (data.classes, data.shown, len(data.maps[0].rows)) == (4, 3, 3)
    totals = [sum(cell.count for cell in cells) for _, cells, _ in data.maps[0].rows]
    assert all(total >= shown for (_, _, total), shown in zip(data.maps[0].rows, totals, strict=True))
    assert MOST == 30


def test_heads_of_columns_are_turned_where_many_are_long(run: Run) -> None:
    data = confusion(Facts.gather(run))
    assert data is not None
    assert not data.turned
    digits = [*map(str, range(10)), "no label"]
    assert not replace(data, columns=digits, shown=10).turned
    assert replace(data, columns=["zebra", *digits], shown=11).turned


def test_without_labels_there_is_no_map(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    plain = make_run()
    assert confusion(Facts.gather(plain)) is None
    assert 'id="confusion"' not in write_report(plain).read_text(encoding="utf-8")


def test_pictures_are_jpegs_beside_their_labels(run: Run) -> None:
    data = gallery(Facts.gather(run)).data
    labels = dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))
    for name, text, _, _, label, picture in data["items"]:
        assert text is None
        assert label == (labels[name] or "")
        assert b64decode(picture).startswith(b"\xff\xd8\xff")
    for card in data["anchors"]:
        assert data["items"][card["item"]][0] == card["id"]
        assert card["label"] == labels[card["id"]]


def test_pictures_fit_the_budget(run: Run) -> None:
    facts = Facts.gather(run)
    for budget in (80_000, 40_000):
        assert len(embedded_json(gallery(facts, budget).data).encode()) <= budget


def test_far_too_many_pictures_are_not_even_opened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    make = Album._make

    def counting(self: Album, row: int, size: int) -> Thumb:
        opened.append(row)
        return make(self, row, size)

    monkeypatch.setattr(Album, "_make", counting)
    steps = (gallery_module.Sizes(300, 50, 1, 96), gallery_module.Sizes(2, 50, 0.1, 48))
    monkeypatch.setattr(gallery_module, "_PICTURES", steps)
    monkeypatch.setattr("hardneg.report.pictures._SAMPLE", 4)
    gallery(Facts.gather(run), 10_000)
    assert len(opened) < 40


def test_pictures_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    run = labelled(tmp_path)
    root = run.items.root
    assert root is not None
    paths = [root / one for one in run.items.table.column("path").to_pylist()]
    paths[2].unlink()
    paths[3].write_bytes(b"<html>not found</html>")
    paths[4].write_bytes(paths[4].read_bytes()[:40])
    problems = {one[0]: one[6] for one in gallery(Facts.gather(run)).data["items"] if len(one) > 6}
    assert problems == {"i2": "file not found", "i3": "not an image", "i4": "the file is damaged"}
    page = write_report(run, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "file not found" in page
    assert str(tmp_path) not in page


def test_without_pillow_the_page_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "PIL", None)
    items = gallery(Facts.gather(run)).data["items"]
    assert {one[6] for one in items} == {'not shown: run pip install "hardneg[image]"'}


def test_bytes_and_texts(tmp_path: Path) -> None:
    pictures = gallery(Facts.gather(labelled(tmp_path / "a", "image"))).data
    assert pictures["tiles"]
    assert all(one[5] for one in pictures["items"])
    texts = gallery(Facts.gather(labelled(tmp_path / "b", "text"))).data
    assert not texts["tiles"]
    assert all(len(one) == 5 and one[1].startswith("text ") for one in texts["items"])


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("mislabelled.anchor_likely_mislabelled", "Correct the anchor's label."),
        ("mislabelled.likely_mislabelled", "Review these labels, or raise k in the source."),
        ("unlabelled.likely_positive", "Label some of these, or raise k in the source."),
    ],
)
def test_what_is_advised_for_short_anchors_helps(tmp_path: Path, reason: str, advice: str) -> None:
    facts = Facts.gather(labelled(tmp_path, filters=["known", "margin(ceiling=-1)"]))
    found = shortfall(replace(facts, reason=Coded(facts.reason.codes, [reason] * len(facts.reason.names))))
    assert {one.relax for one in found.anchors} == {advice}
    assert all(one.picture and one.label for one in found.anchors)


def test_what_is_no_item_has_no_picture(run: Run) -> None:
    none, some = Facts.gather(run).album.thumbs(np.array([-1, 0]), 48)
    assert none is None
    assert some is not None


@pytest.mark.parametrize(("anchors", "words"), [("items", "anchors"), ("classes", "classes")])
def test_the_words_fit_labelled_data(tmp_path: Path, anchors: Any, words: str) -> None:
    page = write_report(labelled(tmp_path, "text", anchors=anchors)).read_text(encoding="utf-8")
    assert f" {words}" in page.split('class="lead"')[1].split("</p>")[0]
    assert "may be of the anchor's class after all" in page.replace("&#39;", "'")
    assert "a labelled example, or a class" in page
    assert "Positive for" not in page
    assert "no text" not in page.split("<script")[0]


def test_same_run_same_bytes(run: Run, tmp_path: Path) -> None:
    one, two = (write_report(run, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert one == two
    assert len(one) < 5_000_000
