"""A step and its text are two spellings of one thing."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.encode import ENCODERS, RESCORERS
from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.notation import Call, Registry, parse
from hardneg.samplers import SAMPLERS
from hardneg.sources import SOURCES

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXT = ANY_TEXT.filter(lambda text: not text.startswith("~")) | st.sampled_from(  # no folders of other people
    ["true", "none", "1", "1.10", "-0", "1e5", "nan", "a(b=1)", '"', "\\", "a,b", "[x]", "=", "a b", "", "٣", "été"]
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAME = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda word: word not in ("true", "false", "none"))


def _calls(inner: st.SearchStrategy[object]) -> st.SearchStrategy[Call]:
    named = st.dictionaries(NAME, inner, max_size=3).map(lambda found: tuple(found.items()))
    return st.builds(Call, NAME, st.lists(inner, max_size=3).map(tuple), named)


VALUE: st.SearchStrategy[object] = st.recursive(
    TEXT | FINITE | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | _calls(inner),
    max_leaves=8,
)


@given(_calls(VALUE))
def test_any_call_survives_its_text(call: Call) -> None:
    assert parse(str(call)) == call


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        call = parse(text)
    except OptionError:
        return
    assert parse(str(call)) == call


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of the annotated type of a field, from the plausible to the odd."""
    known: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(0, 300),
        float: st.floats(0, 1) | st.integers(0, 3) | FINITE,
        str: TEXT,
        bool: st.booleans(),
        type(None): st.none(),
    }
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if hint in known:
        return known[hint]
    inner = [_values(one) for one in get_args(hint) if one in known or get_origin(one) is Literal]
    return st.one_of(inner) if inner else st.nothing()


def _options(cls: type) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(cls)
    shown = [one.name for one in fields(cls) if not one.metadata.get("data")]
    return st.fixed_dictionaries({}, optional={name: _values(hints[name]) for name in shown})


REGISTRIES: list[Registry[Any]] = [SOURCES, FILTERS, SAMPLERS, ENCODERS, RESCORERS]
CLASSES = [(registry, cls) for registry in REGISTRIES for name, cls in registry.steps.items() if name != "union"]


@pytest.mark.parametrize(("registry", "cls"), CLASSES, ids=lambda one: getattr(one, "name", ""))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_step_survives_its_text(registry: Registry[Any], cls: type, data: st.DataObject) -> None:
    try:
        step = cls(**data.draw(_options(cls)))
    except (OptionError, TypeError):  # out of range, or a required option is missing
        return
    again = registry.make(str(step))
    assert again == step
    assert str(again) == str(step)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_union_survives_its_text(data: st.DataObject) -> None:
    plain = ["neighbors(k=3)", "lexical(k=2, b=0.5)", "uniform", "known_negatives"]
    chosen = data.draw(st.lists(st.sampled_from(plain), min_size=2, unique=True))
    step = SOURCES.make(Call("union", (tuple(chosen),), (("constant", data.draw(st.floats(0, 1e9))),)))
    assert SOURCES.make(str(step)) == step
