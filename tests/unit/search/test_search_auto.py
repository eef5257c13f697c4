from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import OptionError
from hardneg.search import ENGINES, Approximate, Auto, Constraints, Engine, Exact, auto

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "_cards", lambda: 0)


@pytest.mark.parametrize(
    ("recall", "anchors", "items", "kind"),
    [
        (1.0, 1_000_000, 1_000_000, Exact),  # nothing but exact search finds all
        (0.98, 1_000_000, 1_000_000, Approximate),
        (0.98, 1_000, 1_000_000, Exact),  # too few anchors to pay for clusters
        (0.98, 10_000_000, 10_000, Exact),  # too few items for clusters to save anything
    ],
)
def test_the_choice_follows_from_sizes_and_recall(recall: float, anchors: int, items: int, kind: type) -> None:
    assert isinstance(Auto(recall).choose(anchors, (items, 384)), kind)


def test_graphics_cards_are_used_where_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "_cards", lambda: 2)
    assert str(Auto().choose(1000, (1000, 8))) == "torch"
    assert "2 graphics cards" in Auto().explain(1000, (1000, 8))


def test_it_answers_as_what_it_chose() -> None:
    anchors, items = RNG.normal(size=(30, 8)).astype(np.float32), RNG.normal(size=(500, 8)).astype(np.float32)
    free = Constraints.none(30, 500)
    one, other = (engine.search(anchors, items, 9, "dot", free) for engine in (Auto(), Exact()))
    assert one.items.values.tolist() == other.items.values.tolist()
    assert Auto().prepare(anchors, items, 9, "dot", free).about == {"engine": "exact"}


def test_it_says_what_why_and_how_long() -> None:
    assert Auto().explain(5000, (40_000, 384)).startswith("Search: exact on ")
    assert "would save little. About" in Auto(0.98).explain(5000, (40_000, 384))
    told = Auto(0.98).explain(10**6, (10**6, 384))
    assert told.startswith("Search: approximate, for 1,000,000 x 1,000,000 pairs of 384 numbers; a recall of 0.98")
    assert told.endswith((" min.", " h.", " s."))


@pytest.mark.parametrize("text", ["auto", "auto(recall=0.98)", "exact(anchor_block=64)", "approximate(recall=0.9)"])
def test_engines_are_steps_with_a_text(text: str) -> None:
    engine = ENGINES.make(text)
    assert isinstance(engine, Engine)
    assert str(engine) == text
    assert ENGINES.make(str(engine)) == engine


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(OptionError, match=r"There is no engine 'exactly'. Did you mean 'exact'\?"):
        ENGINES.make("exactly")
