"""The page: the same bytes for the same run, nothing of the data is ever markup, every kind of run has a page."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.collection import Collection
from hardneg.filters import FILTERS
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.report import write_report
from hardneg.report.page import SECTIONS
from hardneg.report.reasons import REASONS, meaning
from hardneg.run import Run
from hardneg.sources import Neighbors

MakeRun = Callable[..., Run]

VOID = {"meta", "link", "input"}


class Outline(HTMLParser):
    """Reads a page as a browser would: its elements, its attributes, the text of some."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def __getitem__(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(run: Run) -> str:
    return write_report(run).read_text(encoding="utf-8")


def payload(outline: Outline) -> dict[str, Any]:
    at = next(i for i, one in enumerate(outline["script"]) if one.get("type") == "application/json")
    data: dict[str, Any] = json.loads(outline.texts["script"][at])
    return data


def test_same_run_same_bytes(run: Run, make_run: MakeRun, tmp_path: Path) -> None:
    first = write_report(run, tmp_path / "first.html").read_bytes()
    again = make_run(sampler=["top(n=6)", "caps(per_item=2)"])
    assert write_report(again) == again.path / "report.html"
    assert (again.path / "report.html").read_bytes() == first
    assert str(tmp_path).encode() not in first


def test_structure(run: Run) -> None:
    """The bones of the page, compared with a file; the figures have their own tests."""
    outline = Outline(page_of(run))
    lines = [f"{tag}{'#' + str(a['id']) if 'id' in a else ''}" for tag, a in outline.elements if tag in KEPT]
    expected = Path(__file__).with_name("structure.txt")
    assert "\n".join(_counted(lines)) + "\n" == expected.read_text(encoding="utf-8")


KEPT = ("nav", "header", "main", "section", "h1", "h2", "table", "caption", "figure", "details", "form", "footer")


def _counted(lines: list[str]) -> list[str]:
    return [line for at, line in enumerate(lines) if at == 0 or lines[at - 1] != line]


def test_a_section_for_everything(run: Run) -> None:
    ids = {one.get("id") for one in Outline(page_of(run))["section"]}
    assert ids == {section.id for section in SECTIONS} - {"skipped", "confusion", "frontier"}


def test_nothing_is_asked_of_the_network(run: Run) -> None:
    outline = Outline(page_of(run))
    for _, attributes in outline.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert str(attributes.get(name, "#")).startswith(("#", "data:"))
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|innerHTML|eval\(", page_of(run))


def test_the_policy_fits_what_stands_in_the_page(run: Run) -> None:
    outline = Outline(page_of(run))
    content = next(one["content"] for one in outline["meta"] if one.get("http-equiv"))
    assert content is not None
    assert content.startswith("default-src 'none'")
    assert "unsafe" not in content
    for tag in ("style", "script"):
        digest = b64encode(sha256(outline.texts[tag][-1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in content


def test_no_inline_styles_or_handlers(run: Run) -> None:
    """The policy would block them."""
    for _, attributes in Outline(page_of(run)).elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_hostile_texts_stay_texts(make_run: MakeRun, hostile: list[str]) -> None:
    run = make_run(hostile=True, sampler=["top(n=6)", "caps(per_item=2)"])
    page = page_of(run)
    outline = Outline(page)
    assert len(outline["script"]) == 2
    assert not outline["img"]
    assert "\u2028" not in outline.texts["script"][0]
    data = payload(outline)
    for text in hostile[:4]:
        assert any(text in card["text"] for card in data["anchors"]), text
        assert any(text in item[0] for item in data["items"]), "ids as well"


def test_items_without_texts_show_their_ids(make_run: MakeRun) -> None:
    outline = Outline(page_of(make_run(texts=False, numbers=True)))
    data = payload(outline)
    assert all(text is None for _, text, *_ in data["items"])
    assert "no text" in "".join(outline.texts["span"])


def test_one_anchor_without_suspects(make_run: MakeRun) -> None:
    page = page_of(make_run(anchors=1, filters="known", sampler="top(n=2)"))
    assert "2 negatives for 1 anchor: 2 each." in page
    assert "No candidate was set aside as a likely unlabelled positive." in page


def test_nothing_sampled(make_run: MakeRun) -> None:
    run = make_run(filters="margin(ceiling=-2)")
    page = page_of(run)
    assert run.ledger["sampled"] == 0
    assert "0 negatives for 40 anchors." in page
    assert 'id="items"' not in page
    assert "Above the ceiling" in page


def test_no_candidates_at_all(tmp_path: Path) -> None:
    vectors = np.eye(2, dtype=np.float32)
    relations = Positives.from_pairs(["q", "q"], ["a", "b"], items=Collection.of(["a", "b"]))
    run = mine(relations, sources=Neighbors(vectors[:1], vectors), sampler="top(n=2)", out=tmp_path / "none")
    assert run.ledger["candidates"] == 0
    page = page_of(run)
    assert "The sources proposed nothing." in page
    assert 'id="ranks"' not in page


def test_anchors_left_out_are_named(tmp_path: Path) -> None:
    vectors = np.eye(3, dtype=np.float32)
    anchors = Collection.of(["q", "lost"])
    relations = Positives.from_pairs(["q"], ["a"], anchors=anchors, items=Collection.of(["a", "b", "c"]))
    run = mine(relations, sources=Neighbors(vectors[:2], vectors), sampler="top(n=1)", out=tmp_path / "some")
    outline = Outline(page_of(run))
    assert "skipped" in {one.get("id") for one in outline["section"]}
    assert "lost" in "".join(outline.texts["td"])


@pytest.mark.parametrize("reason", [f"{one.name}.{rule.name}" for one in FILTERS.steps.values() for rule in one.rules])
def test_every_rule_is_explained(reason: str) -> None:
    assert reason in REASONS, "add it to hardneg.report.reasons"


def test_a_reason_nobody_described_speaks_for_itself() -> None:
    words = meaning("mine.too_red")
    assert (words.title, words.sentence) == ("Mine: too red", "The rule 'mine.too_red' decided.")
