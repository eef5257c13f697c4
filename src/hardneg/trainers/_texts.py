"""Texts of configurations as syntax: Python by ``ast``, YAML by its nodes, command lines by words. Nothing is run."""

from __future__ import annotations

import ast
import os
import re
import shlex
from pathlib import Path
from typing import Any

from hardneg.errors import InputError, MissingExtraError
from hardneg.trainers._finding import Source

__all__ = [
    "chain",
    "command",
    "imported",
    "is_python",
    "is_yaml",
    "line_of",
    "python",
    "source_of",
    "yaml_node",
    "yaml_value",
]

_MOST = 2_000_000  # bytes; a configuration is far smaller


def source_of(path: Path) -> Source:
    """Read a file; InputError where it is too large or no text."""
    if not path.is_file():
        raise InputError("There is no such file.", path=path, remedy="Give the configuration of the training.")
    if path.stat().st_size > _MOST:
        raise InputError(f"It has {path.stat().st_size:,} bytes: no configuration is so large.", path=path)
    try:
        return Source(path, path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError("It is not UTF-8 text.", path=path, remedy="Give a configuration, not a checkpoint.") from None


def is_python(source: Source) -> bool:
    """Whether the name says that it is Python."""
    return source.path.suffix == ".py"


def is_yaml(source: Source) -> bool:
    """Whether the name says that it is YAML."""
    return source.path.suffix in (".yaml", ".yml")


def python(source: Source) -> ast.Module:
    """The syntax of a Python file; InputError with the line where it has none."""
    try:
        return ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InputError(f"It is not Python ({error}).", path=source.path, line=line) from None


def yaml_node(source: Source) -> Any:
    """The top node of a YAML file, with the lines of all others; None for an empty one. No tag is obeyed."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyyaml", extra="detection") from error
    try:
        return yaml.compose(source.text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or error
        line = None if mark is None else mark.line + 1
        raise InputError(f"It is not YAML ({said}).", path=source.path, line=line) from None


def yaml_value(node: Any, *keys: str) -> Any:
    """The node below these keys of mappings; None where one is not there. Of a key that is there twice the last."""
    for key in keys:
        pairs = node.value if getattr(node, "id", None) == "mapping" else []
        node = next((value for name, value in reversed(pairs) if name.value == key), None)
    return node


def line_of(node: Any) -> int:
    """The line of a YAML node, counted from 1."""
    return int(node.start_mark.line) + 1


def chain(node: ast.AST) -> str:
    """A name with its attributes and keys of text as one text; empty for anything else.

    >>> chain(ast.parse("cfg.data['train'].x", mode="eval").body)
    'cfg.data.train.x'
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{before}.{node.attr}" if (before := chain(node.value)) else ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return f"{before}.{node.slice.value!s}" if (before := chain(node.value)) else ""
    return ""


def imported(path: Path, level: int, module: str) -> Path:
    """The file that ``from ..module import`` of a file at this path means, with as many points as ``level``.

    >>> imported(Path("configs/mine/a.py"), 2, "common.data").as_posix()
    'configs/common/data.py'
    """
    return Path(os.path.normpath(path.parent.joinpath(*[".."] * (level - 1), *module.split(".")))).with_suffix(".py")


def command(source: Source, script: str) -> list[tuple[str, int]]:
    r"""The words after a script of this name with their lines, in a file of command lines; empty where it is not run.

    >>> command(Source(Path("run.sh"), "torchrun \\\n  train.py --dataset coco  # all\n"), "train.py")
    [('--dataset', 2), ('coco', 2)]
    """
    words: list[tuple[str, int]] = []
    going = False
    for number, line in enumerate(source.text.splitlines(), start=1):
        try:
            parts = shlex.split(line.removesuffix("\\"), comments=True)
        except ValueError:
            parts = line.split()
        at = next((place for place, one in enumerate(parts) if re.split(r"[/\\]", one)[-1] == script), None)
        if at is not None:
            words, going, parts = [], True, parts[at + 1 :]
        if going:
            words += [(one, number) for one in parts]
        going = going and line.rstrip().endswith("\\")
    return words
