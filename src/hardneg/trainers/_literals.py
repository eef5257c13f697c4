"""Python configurations as values with their lines: dictionaries, lists and constants, put together as MMEngine does.

What is not a plain value (a call of a function, a sum) is of no use here and stands as ``None``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.trainers._finding import Source
from hardneg.trainers._texts import chain, imported, python, source_of

__all__ = ["Config", "Value", "config_of", "within"]


@dataclass(frozen=True)
class Value:
    """A value and where it stands: ``of`` is a constant, a list of values or a dictionary of values."""

    of: Any
    file: Path
    line: int

    def get(self, *names: str) -> Value | None:
        """The value below these names; None where one is not there."""
        here: Value | None = self
        for name in names:
            here = here.of.get(name) if here is not None and isinstance(here.of, dict) else None
        return here


@dataclass(frozen=True)
class Config:
    """The names of a configuration with their values, and the bases that are not here."""

    names: dict[str, Value]
    missing: tuple[str, ...]


def config_of(source: Source, seen: tuple[Path, ...] = ()) -> Config:
    """Read a configuration and its bases (``_base_``, or imports from beside it), without running them.

    Raises InputError for what is no Python, or its own base.
    """
    here = source.path.resolve()
    if here in seen:
        raise InputError("It is its own base.", path=source.path, remedy="Look at its _base_.")
    tree = python(source)
    names: dict[str, Value] = {}
    missing: list[str] = []
    for base, label in _bases(tree, source.path):
        if base.is_file():
            found = config_of(source_of(base), (*seen, here))
            names |= found.names
            missing += found.missing
        else:
            missing.append(label)
    bases = dict(names)
    for node in _statements(tree.body):
        for target in node.targets:
            _assign(names, bases, chain(target), _value(node.value, names, source.path))
    return Config(names, tuple(missing))


def _statements(body: list[ast.stmt]) -> Iterator[ast.Assign]:
    """The assignments at the top, and within ``with`` and ``if``."""
    for node in body:
        if isinstance(node, ast.Assign):
            yield node
        elif isinstance(node, (ast.With, ast.If)):
            yield from _statements(node.body)


def _bases(tree: ast.Module, path: Path) -> Iterator[tuple[Path, str]]:
    for node in _statements(tree.body):
        if [chain(one) for one in node.targets] == ["_base_"]:
            given = node.value.elts if isinstance(node.value, (ast.List, ast.Tuple)) else [node.value]
            for name in given:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield path.parent / name.value, name.value
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom) and one.module and one.level:
            yield imported(path, one.level, one.module), f"{'.' * one.level}{one.module}"


def _assign(names: dict[str, Value], bases: dict[str, Value], name: str, value: Value) -> None:
    """Give a name its value; a dictionary is laid over that of a base, a name with points leads into one."""
    first, *rest = name.split(".")
    if not first or (rest and first not in names):
        return
    if not rest:
        names[first] = _over(bases[first], value) if first in bases else value
        return
    for part in reversed(rest):
        value = Value({part: value}, value.file, value.line)
    names[first] = _over(names[first], value)


def _over(base: Value, value: Value) -> Value:
    """A dictionary laid over another, as MMEngine does: so is what is in both, unless there is a ``_delete_``."""
    if not isinstance(base.of, dict) or not isinstance(value.of, dict) or "_delete_" in value.of:
        return value
    merged = dict(base.of)
    for name, one in value.of.items():
        merged[name] = _over(merged[name], one) if name in merged else one
    return Value(merged, value.file, value.line)


def _value(node: ast.expr, names: dict[str, Value], file: Path) -> Value:
    made: Any = None
    if isinstance(node, ast.Constant):
        made = node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        made = -node.operand.value if isinstance(node.operand.value, (int, float)) else None
    elif isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    elif isinstance(node, (ast.List, ast.Tuple)):
        made = [_value(one, names, file) for one in node.elts]
    elif isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        made = _dictionary(list(zip(keys, node.values, strict=True)), names, file)
    elif isinstance(node, ast.Call) and chain(node.func) == "dict":
        made = _dictionary([(one.arg, one.value) for one in node.keywords], names, file)
    elif isinstance(node, (ast.Name, ast.Attribute)):
        made = chain(node).split(".")[-1]  # a class, as in type=CocoDataset
    return Value(made, file, node.lineno)


def _dictionary(pairs: list[tuple[Any, ast.expr]], names: dict[str, Value], file: Path) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for name, node in pairs:
        value = _value(node, names, file)
        if isinstance(name, str):
            made[name] = value
        elif isinstance(value.of, dict):  # **other
            made |= value.of
    return made


def within(value: Value | None) -> Iterator[Value]:
    """A value and all that is in it, outer before inner."""
    if value is None:
        return
    yield value
    inner = value.of.values() if isinstance(value.of, dict) else value.of if isinstance(value.of, list) else ()
    for one in inner:
        yield from within(one)
