"""Detectron2: ``DATALOADER.FILTER_EMPTY_ANNOTATIONS``, which is True, and ``filter_empty`` of lazy configurations.

In the repository facebookresearch/detectron2: ``detectron2/config/defaults.py`` sets it; ``detectron2/data/build.py``
hands it to ``get_detection_dataset_dicts(filter_empty=True)``, which calls
``filter_images_with_only_crowd_annotations``: an image goes where all its annotations have ``iscrowd`` 1, or there is
none. A lazy configuration (``configs/common/data/coco.py``) calls that function itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hardneg.errors import InputError
from hardneg.trainers._finding import Effect, Finding, Source, Trainer
from hardneg.trainers._texts import (
    chain,
    command,
    imported,
    is_python,
    is_yaml,
    line_of,
    python,
    source_of,
    yaml_node,
    yaml_value,
)

__all__ = ["DETECTRON2"]

_KEY = "DATALOADER.FILTER_EMPTY_ANNOTATIONS"
_SECTIONS = {"MODEL", "DATASETS", "DATALOADER", "SOLVER", "INPUT", "TEST"}
_IMPORTS = re.compile(r"^\s*(from|import)\s+detectron2\b", re.MULTILINE)
_LOADS = "get_detection_dataset_dicts"
_DEFAULT = "Images without annotations, or with crowds alone, are left out: the default, and nothing else is said."
_WORDS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


@dataclass(frozen=True)
class _Set:
    """Where the filter is set, to what (None where that cannot be read), and how it is written there."""

    file: Path
    line: int
    value: bool | None
    written: str  # what stands there when it is off


def _fits(source: Source) -> bool:
    if is_yaml(source):
        node = yaml_node(source)
        keys = {name.value for name, _ in node.value} if getattr(node, "id", None) == "mapping" else set()
        return bool(keys & _SECTIONS) or "_BASE_" in keys
    if is_python(source):
        tree = python(source)
        return bool(_IMPORTS.search(source.text)) or any(
            name.startswith("dataloader.train") or name.endswith(_KEY) for name, _ in _assigned(tree)
        )
    return bool(command(source, "train_net.py")) or bool(command(source, "lazyconfig_train_net.py"))


def _findings(source: Source) -> list[Finding]:
    if is_yaml(source):
        return _of_yaml(source)
    if is_python(source):
        found = [_finding(_overruled(one, source)) for one in _in_python(source, ())]
        return found or [_silent_python(source)]
    return [_of_command(source)]


def _finding(one: _Set) -> Finding:
    if one.value is None:
        said = f"The filter is set to something that is not True or False here. Make it: {one.written}"
        return Finding(Effect.UNKNOWN, said, one.file, one.line, one.written)
    if one.value:
        said = "Images without annotations, or with crowds alone, are left out."
        return Finding(Effect.DROPPED, said, one.file, one.line, one.written)
    return Finding(Effect.KEPT, "Images without annotations are kept: the filter is off.", one.file, one.line)


def _of_yaml(source: Source) -> list[Finding]:
    missing: list[str] = []
    for one in _bases(source, (), missing):
        node = yaml_value(yaml_node(one), *_KEY.split("."))
        if node is not None:
            value = _WORDS.get(str(node.value).lower())
            return [_finding(_Set(one.path, line_of(node), value, "FILTER_EMPTY_ANNOTATIONS: False"))]
    said = _DEFAULT
    if missing:
        said += f" The base '{missing[0]}' is not here: it may say something else."
    section = yaml_value(yaml_node(source), "DATALOADER")
    change = "DATALOADER: {FILTER_EMPTY_ANNOTATIONS: False}"
    if section is not None:
        return [Finding(Effect.DROPPED, said, source.path, line_of(section), "add: FILTER_EMPTY_ANNOTATIONS: False")]
    return [Finding(Effect.DROPPED, said, source.path, None, f"add: {change}")]


def _bases(source: Source, seen: tuple[Path, ...], missing: list[str]) -> Iterator[Source]:
    """The file, then its base, and so on: what comes first overrules."""
    here = source.path.resolve()
    if here in seen:
        raise InputError("It is its own base.", path=source.path, remedy="Look at its _BASE_.")
    yield source
    if (node := yaml_value(yaml_node(source), "_BASE_")) is None:
        return
    for name in [node.value] if isinstance(node.value, str) else [one.value for one in reversed(node.value)]:
        file = source.path.parent / Path(str(name)).expanduser()
        if file.is_file():
            yield from _bases(source_of(file), (*seen, here), missing)
        else:
            missing.append(str(name))


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.Assign]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((chain(target), node) for target in node.targets)


def _in_python(source: Source, seen: tuple[Path, ...]) -> list[_Set]:
    """What a Python file, and those that it imports from beside itself, say of the filter; the last word counts."""
    tree, here = python(source), source.path.resolve()
    found: list[_Set] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module and here not in seen:
            file = imported(source.path, node.level, node.module)
            if file.is_file() and any(one.name in ("dataloader", "*") for one in node.names):
                found += _in_python(source_of(file), (*seen, here))
    found += _calls(source, tree)
    for name, node in _assigned(tree):
        if name.endswith(_KEY) or name.endswith("train.dataset.filter_empty"):
            found = [_Set(source.path, node.lineno, _constant(node.value), f"{name} = False")]
    return found


def _calls(source: Source, tree: ast.Module) -> Iterator[_Set]:
    """Each call that loads a data set, but for those to test on: as a function, or as ``L(function)(...)``."""
    tests = {
        inner
        for name, node in _assigned(tree)
        if {"test", "val"} & set(name.split("."))
        for inner in ast.walk(node)
    }  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node in tests:
            continue
        made = node.func
        name = chain(made.args[0]) if isinstance(made, ast.Call) and made.args else chain(made)
        if name.split(".")[-1] == _LOADS:
            given = next((one for one in node.keywords if one.arg == "filter_empty"), None)
            if given is not None:
                yield _Set(source.path, given.value.lineno, _constant(given.value), "filter_empty=False")
            else:
                yield _Set(source.path, node.lineno, True, f"{_LOADS}(..., filter_empty=False)")


def _overruled(one: _Set, source: Source) -> _Set:
    """What another file sets is best changed in one's own."""
    own = f"add to {source.path.name}: dataloader.train.dataset.filter_empty = False"
    return one if one.file == source.path else replace(one, written=own)


def _constant(node: ast.expr) -> bool | None:
    return bool(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int)) else None


def _silent_python(source: Source) -> Finding:
    old = "get_cfg" in source.text or "cfg.merge_from" in source.text
    change = f"add: cfg.{_KEY} = False" if old else "add: dataloader.train.dataset.filter_empty = False"
    said = _DEFAULT
    return Finding(Effect.DROPPED, said, source.path, None, change)


def _of_command(source: Source) -> Finding:
    words = command(source, "train_net.py") or command(source, "lazyconfig_train_net.py")
    for place, (word, line) in enumerate(words):
        name, equals, value = word.partition("=")
        if name in (_KEY, "dataloader.train.dataset.filter_empty"):
            value = value if equals else words[place + 1][0] if place + 1 < len(words) else ""
            written = f"{name}{'=' if equals else ' '}False"
            return _finding(_Set(source.path, line, _WORDS.get(value.lower()), written))
    said = f"Nothing is said of {_KEY} here. Check the file that --config-file names."
    return Finding(Effect.UNKNOWN, said, source.path, words[0][1] if words else None, f"add: {_KEY} False")


DETECTRON2 = Trainer(
    "Detectron2",
    "YAML with sections such as MODEL or a _BASE_, Python that imports detectron2, a command line with train_net.py",
    _fits, _findings,
)  # fmt: skip
