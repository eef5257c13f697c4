from __future__ import annotations

import pytest
from tests.unit.samplers.test_boxes_balanced import boxes

from hardneg.collection import Collection
from hardneg.errors import OptionError
from hardneg.filters import Duplicates, Known, Margin, Rank
from hardneg.positives import Positives
from hardneg.samplers import Caps, Quotas, Sampler, Top
from hardneg.sources import Lexical, Neighbors, Uniform, Union
from hardneg.steps import Steps, usual_filters, usual_sampler, usual_sources

NEIGHBORS, LEXICAL = Neighbors(k=5), Lexical(k=3)


@pytest.mark.parametrize(
    "sources",
    [
        NEIGHBORS,
        [NEIGHBORS, LEXICAL],
        Union((NEIGHBORS, LEXICAL), constant=7.5),
        [Union((NEIGHBORS, LEXICAL)), Uniform()],
    ],
    ids=str,
)
def test_steps_and_their_texts_agree(sources: object) -> None:
    steps = Steps.parse(sources, [Rank(2), "margin(relative=0.1)"], [Caps(3), "top(n=2)", Quotas(hard=0.5)])  # type: ignore[arg-type]
    assert Steps.parse(**steps.texts()) == steps


def test_other_options_give_other_texts() -> None:
    """The texts decide whether a stopped run may go on."""
    one, other = (Steps.parse(Union((NEIGHBORS, LEXICAL), constant=c)) for c in (60, 1))
    assert one.texts() != other.texts()


def test_known_and_duplicates_always_take_part_and_first() -> None:
    assert Steps.parse(filters="rank(skip=2)").filters == (Known(), Duplicates(), Rank(2))
    assert Steps.parse(filters=["rank(skip=2)", "known(shared=false)"]).filters == (
        Duplicates(),
        Rank(2),
        Known(shared=False),
    )
    assert Steps.parse(filters=[]).filters == (Known(), Duplicates())


def test_the_reference_is_that_of_the_first_filter_that_has_one() -> None:
    assert Steps.parse(filters=["rank(skip=1)", Margin(relative=0.1, reference="mean")]).reference == "mean"
    assert Steps.parse(filters="known").reference == "min"


def test_random_items_have_a_name_only_once() -> None:
    assert Steps.parse("neighbors").source_names == ("neighbors", "uniform")
    assert Steps.parse(["uniform", "neighbors"]).source_names == ("uniform", "neighbors")


class Neither(Sampler):
    """A sampler that is neither a chooser nor a limit."""

    name = "neither"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"sampler": "caps"}, "exactly one of .* Got none"),
        ({"sampler": ["top", "uniform"]}, r"Got top\(n=8\), uniform\(n=8\)"),
        ({"sampler": [Top(), Neither()]}, "Chooser or a Limit. Got Neither"),
        ({"sources": []}, "at least two sources"),
        ({"sources": ["neighbors", "neighbors(k=3)"]}, "different names"),
        ({"sources": ["nothing"]}, "no source 'nothing'"),
    ],
)
def test_steps_that_do_not_fit_are_refused(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(OptionError, match=word):
        Steps.parse(**arguments)  # type: ignore[arg-type]


def test_what_is_usual_for_boxes_and_for_others() -> None:
    pairs = Positives.from_pairs(["q"], ["a"], items=Collection.of(["a", "b"]))
    assert usual_sampler(pairs) == ("top(n=8)",)
    assert usual_sampler(boxes()) == ("top(n=1000, per_positive=1)",)
    assert usual_sources(boxes()) == ("detections(k=1000)",)
    assert usual_filters(boxes())[:2] == ("known", "duplicates")  # without pictures nothing can be near anything
