from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from hardneg.encode import ENCODERS, RESCORERS, Function, Teacher
from hardneg.errors import OptionError
from hardneg.filters import FILTERS, Filter, Judgement, Known, Margin, Rank, Rescore, Rule, first_of
from hardneg.notation import Call, parse
from hardneg.samplers import SAMPLERS, Top
from hardneg.sources import SOURCES, Lexical, Neighbors, Uniform, Union
from hardneg.table import Verdict


@dataclass(frozen=True)
class Foreign(Filter):
    """A filter of another package."""

    name: ClassVar[str] = "foreign"
    rules: ClassVar[tuple[Rule, ...]] = (Rule("odd", Verdict.DROP),)
    word: str = "fox"

    def judge(self, columns):  # type: ignore[no-untyped-def]
        """Nothing is ever odd."""
        shape: tuple[int, ...] = columns["score"].shape
        verdict: Judgement = first_of(shape)
        return verdict


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("known", Call("known")),
        ("known()", Call("known")),
        (" margin( relative = 0.05 ,absolute=-1e-3, )", Call("margin", (), (("relative", 0.05), ("absolute", -0.001)))),
        ("top(8, drop)", Call("top", (8, "drop"))),
        ("f(x=true, y=None, w=[])", Call("f", (), (("x", True), ("y", None), ("w", ())))),
        ("f([1, [a, b]])", Call("f", ((1, ("a", "b")),))),
        ('f("a \\"b\\" \\u00e9 (c), [d]=", x="true")', Call("f", ('a "b" é (c), [d]=',), (("x", "true"),))),
        ("f('a \\'b\\' \"c\"', x='\\\\d')", Call("f", ("a 'b' \"c\"",), (("x", "\\d"),))),
        ("teacher(function(a.b:c, version=3))", Call("teacher", (Call("function", ("a.b:c",), (("version", 3),)),))),
        ("pkg.mod:Class(k=1)", Call("pkg.mod:Class", (), (("k", 1),))),
    ],
)  # fmt: skip
def test_texts_are_read(text: str, call: Call) -> None:
    assert parse(text) == call
    assert parse(str(call)) == call


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "too early"),
        ("f(", "missing"),
        ("f(a", "missing"),
        ("f(a b)", "','"),
        ("f)", "not expected"),
        ("f(x=)", "not expected"),
        ("f(x=1, 2)", "come first"),
        ("f(x=1, x=2)", "twice"),
        ("f(a; b)", "between quotes"),
        ('f("a\\q")', "quoted"),
        ('f("a)', "between quotes"),
        ("[1, 2]", "begin with a name"),
        ("7", "begin with a name"),
        ("f([a=1])", "have no names"),
        ("f(a,,b)", "not expected"),
    ],
)
def test_slips_are_explained(text: str, word: str) -> None:
    with pytest.raises(OptionError, match=word):
        parse(text)


def test_a_number_for_a_text_stays_as_it_was_written() -> None:
    """A cache files vectors under the version, so 1.10 must not become 1.1."""
    assert ENCODERS.make("function(m:f, version=1.10)") == Function("m:f", version="1.10")
    assert ENCODERS.make("function(m:f, version=007)") == Function("m:f", version="007")
    nested = RESCORERS.make("teacher(function(m:f, version=1.10))")
    assert nested == Teacher(Function("m:f", version="1.10"))
    rescore = FILTERS.make("rescore(teacher(function(m:f, version=1.10)), relative=0.1)")
    assert RESCORERS.make(rescore.model) == nested  # type: ignore[attr-defined]


def test_numbers_become_plain_numbers() -> None:
    made = FILTERS.make("margin(relative=0, absolute=1.50)")
    assert made == Margin(relative=0.0, absolute=1.5)
    assert type(made.relative) is type(made.absolute) is float
    assert type(SAMPLERS.make("top(3)").n) is int  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "step",
    [Neighbors(k=np.int64(5)), Lexical(k1=np.float64(1.25)), Lexical(b=np.float32(0.5)), Uniform(np.int32(3))],  # type: ignore[arg-type]
    ids=str,
)
def test_numbers_of_numpy_are_numbers(step: object) -> None:
    assert SOURCES.make(str(step)) == step
    assert '"' not in str(step)


def test_a_choice_may_be_a_word_of_the_notation() -> None:
    assert SOURCES.make("lexical(stopwords=none)") == Lexical(stopwords="none")
    assert FILTERS.make("margin(relative=none, ceiling=0.5)") == Margin(ceiling=0.5)
    with pytest.raises(OptionError, match="one of none, english"):
        SOURCES.make("lexical(stopwords=false)")


def test_a_union_has_a_text() -> None:
    union = Union((Neighbors(k=5), Union((Lexical(k=3), Uniform()), constant=1)))
    assert SOURCES.make(str(union)) == union
    assert SOURCES.make("union([neighbors, lexical(k=3)])") == Union((Neighbors(), Lexical(k=3)))
    with pytest.raises(OptionError, match="no source 'neighbrs'"):
        SOURCES.make("union([neighbrs, lexical])")


def test_steps_of_other_packages_are_found_by_their_text() -> None:
    step = Foreign(word="a hen")
    assert str(step) == f'{__name__}:Foreign(word="a hen")'
    assert FILTERS.make(str(step)) == step


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("os:system(ls)", "is no filter"),
        ("subprocess:Popen", "is no filter"),
        ("no.such.module:Class", "cannot be imported"),
        ("hardneg.filters:Nothing", "is no filter"),
        ("hardneg.sources:Lexical", "is no filter"),
        ("margn(relative=1)", "Did you mean 'margin'"),
        ("margin(relativ=0.1)", "Did you mean 'relative'"),
        ("margin(relative=word)", "a number or none"),
        ("margin(relative=true)", "a number or none"),
        ("rank(skip=1.5)", "whole number"),
        ("rank(1, 2, 3)", "at most 2"),
        ("rank(1, skip=2)", "twice"),
        ("rescore(relative=0.1)", "needs the option 'model'"),
        ("known(shared=1)", "true or false"),
        ("margin(relative=[0.1])", "a number or none"),
    ],
)
def test_wrong_steps_are_explained(text: str, word: str) -> None:
    with pytest.raises(OptionError, match=word):
        FILTERS.make(text)


def test_naming_a_step_never_calls_anything() -> None:
    code = (
        "import sys; from hardneg.filters import FILTERS; from hardneg.errors import OptionError\n"
        "try: FILTERS.make('builtins:print(text=3)')\n"
        "except OptionError: sys.stdout.write('refused')\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "refused"


def test_steps_are_taken_as_they_are() -> None:
    step = Known(shared=False)
    assert FILTERS.make(step) is step
    with pytest.raises(OptionError, match="step or its text"):
        FILTERS.make(7)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="step or its text"):
        FILTERS.make(Top())  # type: ignore[arg-type]


def test_only_what_differs_is_shown() -> None:
    assert str(Known()) == "known"
    assert str(Rank(skip=3)) == "rank(skip=3)"
    assert str(Top()) == "top(n=8)"
    assert str(Rescore("a b", relative=0.1)) == 'rescore(model="a b", relative=0.1)'
