from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.encode import Function, PairFunction, encode_texts, make_encoder, make_rescorer
from hardneg.errors import InputError, OptionError

SOURCE = """
def embed(texts, batch_size=3):
    assert batch_size == 3
    return [[float(len(text)), 1.0] for text in texts]

def judge(pairs):
    return [float(len(anchor) - len(item)) for anchor, item in pairs]

number = 3
"""


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(SOURCE)
    return str(tmp_path / "mine.py")


def test_a_function_from_a_file(source: str) -> None:
    encoder = make_encoder(f'function("{source}:embed", batch_size=2)')
    assert encode_texts(encoder, ["a", "bb", "ccc"], "item")[:, 0].tolist() == [1, 2, 3]
    rescorer = make_rescorer(f'function("{source}:judge")')
    assert rescorer.score_all([("aaa", "b"), ("a", "b")]).tolist() == [2, 0]


def test_a_function_from_a_module(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(source).parent)
    assert make_encoder("function(mine:embed)").encode(["abc"], "item").tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere_at_all:embed", "cannot be imported.*nowhere_at_all.py:function"),
        ("math:nothing", "'math' has no function 'nothing'"),
        ("math", "must be 'module:function'"),
        ("not/there.py:embed", "There is no file"),
        ("{source}:number", "has no function 'number'"),
    ],
)
def test_functions_that_cannot_be_found(source: str, target: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Function(target.format(source=source)).encode(["a"], "item")


@pytest.mark.parametrize(
    "result",
    [[[1.0, 2.0]], [1.0, 2.0, 3.0], [[1.0], [2.0, 3.0], [4.0]], None, [["x"], ["y"], ["z"]]],
)
def test_wrong_results(result: Any) -> None:
    with pytest.raises(InputError, match="must return"):
        Function(call=lambda texts: result).encode(["a", "b", "c"], "item")


def test_tensors_are_read() -> None:
    torch = pytest.importorskip("torch")
    encoder = Function(call=lambda texts: torch.ones(len(texts), 2, dtype=torch.bfloat16, requires_grad=True))
    vectors = encoder.encode(["a"], "item")
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[1, 1]]


def test_a_named_role_is_given_and_another_second_parameter_is_not() -> None:
    assert Function(call=lambda texts, role: [[float(role == "anchor")] for _ in texts]).encode(["a"], "anchor") == 1
    assert Function(call=lambda texts, batch=7: [[float(batch)] for _ in texts]).encode(["a"], "anchor") == 7


def test_identity_needs_a_version() -> None:
    assert Function("math:sqrt").identity == ""
    assert Function("math:sqrt").key("item") == ""
    identities = {Function(t, version=v).identity for t in ("math:sqrt", "math:exp") for v in ("1", "2")}
    assert len(identities) == 4
    assert PairFunction("math:sqrt").identity == ""
    assert PairFunction("math:sqrt", version="1").identity not in identities


def test_options() -> None:
    with pytest.raises(OptionError, match="batch_size"):
        Function("math:sqrt", batch_size=0)
    with pytest.raises(OptionError, match="The 'target' must be"):
        Function()
    with pytest.raises(OptionError, match="The 'target' must be"):
        PairFunction()
    with pytest.raises(InputError, match="must return 2 numbers for 2 pairs"):
        PairFunction(call=lambda pairs: [1.0]).score([("a", "b"), ("c", "d")])
    assert PairFunction(call=lambda pairs: [1.0]).score([]).shape == (0,)
