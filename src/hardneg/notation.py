"""A step and its text: ``margin(relative=0.05)``. For every step ``x``, ``parse(str(x)) == x``.

The grammar, small enough to type on a command line:

    step   :=  name | name "(" [argument {"," argument}] ")"
    argument := [key "="] value
    value  :=  number | true | false | none | word | "quoted text" | 'quoted text' | [value, ...] | step

A word is a run of letters, digits and ``_ . / : @ + - ~ #`` and needs no quotes. A name of the form
``package.module:Class`` names a step of another package.
"""

from __future__ import annotations

import importlib
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from typing import Any, ClassVar, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from hardneg.errors import OptionError

__all__ = ["Call", "Registry", "Step", "nearest", "parse", "require"]

_TOKEN = re.compile(r"""\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([\w./:@+~#-]+)|([(),=\[\]]))""")
_WORD = re.compile(r"[\w./:@+~#-]+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CONSTANTS = {"true": True, "false": False, "none": None}


def require(holds: bool, name: str, rule: str, value: object) -> None:
    """Raise OptionError unless ``holds``.

    >>> require(False, "margin", "in [0, 1)", 1.5)
    Traceback (most recent call last):
    hardneg.errors.OptionError: The 'margin' must be in [0, 1). Got 1.5.
    """
    if not holds:
        raise OptionError(f"The '{name}' must be {rule}. Got {value}.")


def nearest(name: str, names: Iterable[str], likeness: float = 0.6) -> str | None:
    """The name that was most likely meant, whatever the case; None where none is as alike as that (1 is the same).

    >>> nearest("SFaces", ["sface", "logmel"]), nearest("facenet", ["logmel"])
    ('sface', None)
    """
    close = get_close_matches(name.lower(), list(names), n=1, cutoff=likeness)
    return close[0] if close else None


@dataclass(frozen=True)
class Call:
    """A parsed step that has not met its class yet."""

    name: str
    positional: tuple[object, ...] = ()
    named: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        inside = [_render(value) for value in self.positional]
        inside += [f"{key}={_render(value)}" for key, value in self.named]
        return f"{self.name}({', '.join(inside)})" if inside else self.name


def parse(text: str) -> Call:
    """Read one step.

    >>> parse("margin(relative=0.05, reference=max)").named
    (('relative', 0.05), ('reference', 'max'))
    >>> str(parse("rescore('my model', within=20)"))
    'rescore("my model", within=20)'
    """
    tokens = list(_tokens(text))
    value, rest = _value(tokens, 0, text)
    if rest != len(tokens):
        raise OptionError(f"Cannot read the step '{text}': '{tokens[rest]}' was not expected.")
    if isinstance(value, Call):
        return value
    if isinstance(value, str):
        return Call(value)
    raise OptionError(f"Cannot read the step '{text}': it must begin with a name, as in margin(relative=0.05).")


def _tokens(text: str) -> Iterator[str]:
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise OptionError(
                f"Cannot read the step '{text}' at character {position + 1}. "
                'Put text with spaces or signs between quotes, as in rescore("my model").'
            )
        yield match.group(match.lastindex or 0)
        position = match.end()


def _value(tokens: Sequence[str], at: int, text: str) -> tuple[object, int]:
    if at >= len(tokens):
        raise OptionError(f"Cannot read the step '{text}': it ends too early.")
    token = tokens[at]
    if token == "[":
        items, at = _items(tokens, at + 1, "]", text)
        if any(key is not None for key, _ in items):
            raise OptionError(f"Cannot read the step '{text}': the values of a list have no names.")
        return tuple(value for _, value in items), at
    if token in "(),=]":
        raise OptionError(f"Cannot read the step '{text}': '{token}' was not expected.")
    if at + 1 < len(tokens) and tokens[at + 1] == "(":
        items, at = _items(tokens, at + 2, ")", text)
        return _call(token, items, text), at
    return _atom(token), at + 1


def _items(tokens: Sequence[str], at: int, close: str, text: str) -> tuple[list[tuple[str | None, object]], int]:
    items: list[tuple[str | None, object]] = []
    while at < len(tokens) and tokens[at] != close:
        key = None
        if at + 1 < len(tokens) and tokens[at + 1] == "=":
            key, at = tokens[at], at + 2
        value, at = _value(tokens, at, text)
        items.append((key, value))
        if at < len(tokens) and tokens[at] == ",":
            at += 1
        elif at < len(tokens) and tokens[at] != close:
            raise OptionError(f"Cannot read the step '{text}': a ',' is missing before '{tokens[at]}'.")
    if at >= len(tokens):
        raise OptionError(f"Cannot read the step '{text}': a '{close}' is missing.")
    return items, at + 1


def _call(name: str, items: list[tuple[str | None, object]], text: str) -> Call:
    positional = tuple(value for key, value in items if key is None)
    named = tuple((key, value) for key, value in items if key is not None)
    if any(key is None for key, _ in items[len(positional) :]):
        raise OptionError(f"Cannot read the step '{text}': values without a name come first.")
    if len({key for key, _ in named}) < len(named):
        raise OptionError(f"Cannot read the step '{text}': an option is given twice.")
    return Call(name, positional, named)


def _atom(token: str) -> object:
    if token.startswith(('"', "'")):
        try:
            return json.loads(token if token.startswith('"') else _double_quoted(token))
        except json.JSONDecodeError:
            raise OptionError(f"Cannot read the quoted text {token}.") from None
    if token.lower() in _CONSTANTS:
        return _CONSTANTS[token.lower()]
    if _NUMBER.fullmatch(token):
        number = _Whole(token) if re.fullmatch(r"[+-]?\d+", token) else _Decimal(token)
        number.written = token
        return number
    return token


def _double_quoted(token: str) -> str:
    inner = re.sub(r"""\\.|\"""", lambda match: {"\\'": "'", '"': '\\"'}.get(match[0], match[0]), token[1:-1])
    return f'"{inner}"'


class _Whole(int):
    """A whole number that remembers how it was written, for options that take text: a version ``1.10``."""

    written = ""


class _Decimal(float):
    """A decimal number that remembers how it was written."""

    written = ""


def _render(value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, (_Whole, _Decimal)):
        return value.written
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, Call) and not (value.positional or value.named):
        return f"{value.name}()"  # without the parentheses it would be a word
    if isinstance(value, (Call, Step, int, float)):
        return str(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_render(one) for one in value)}]"
    text = str(value)
    plain = _WORD.fullmatch(text) and _atom(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


class Step:
    """Base of sources, filters, samplers and encoders: a frozen dataclass whose fields are its options.

    The text shows what differs from the default. A field declared with ``metadata={"data": True}`` (vectors, a
    function) is no part of it; one with ``metadata={"always": True}`` always is. A step of another package shows
    its full name, ``package.module:Class``, so that its text finds it again.
    """

    name: ClassVar[str]

    def __str__(self) -> str:
        shown = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            default = field.default if field.default is not MISSING else None
            always = field.metadata.get("always") or field.default is MISSING
            if not field.metadata.get("data") and (value != default or always):
                shown.append(f"{field.name}={_render(value)}")
        name = self.name if _is_ours(type(self)) else f"{type(self).__module__}:{type(self).__name__}"
        return f"{name}({', '.join(shown)})" if shown else name


def _is_ours(cls: type[Step]) -> bool:
    """Whether a registry knows this class by its short name; a class inside a function has no other."""
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0] or cls.__qualname__ != cls.__name__


T = TypeVar("T", bound=Step)


class Registry(Generic[T]):
    """The steps of one kind by name; makes a step from its text.

    Steps of other packages need no registration: ``package.module:Class(option=1)`` finds them.
    """

    def __init__(self, kind: str, base: type[T], steps: Iterable[type[T]]) -> None:
        self.kind, self.base = kind, base
        self.steps: dict[str, type[T]] = {step.name: step for step in steps}

    def make(self, step: str | Call | T) -> T:
        """Return a step from its text; a step itself is returned as it is."""
        if isinstance(step, self.base):
            return step
        if not isinstance(step, (str, Call)):
            article = "An" if self.kind[0] in "aeiou" else "A"
            raise OptionError(f"{article} {self.kind} must be a step or its text. Got {type(step).__name__}.")
        call = parse(step) if isinstance(step, str) else step
        return self._build(self._find(call.name), call)

    def _find(self, name: str) -> type[T]:
        if name in self.steps:
            return self.steps[name]
        module, colon, attribute = name.partition(":")
        if colon and re.fullmatch(r"[\w.]+", module):
            try:
                found = getattr(importlib.import_module(module), attribute, None)
            except ImportError as error:
                raise OptionError(f"The {self.kind} '{name}' cannot be imported: {error}.") from error
            # Only a subclass is ever called: a recipe from elsewhere must not be able to name any function.
            if isinstance(found, type) and issubclass(found, self.base):
                return found
            raise OptionError(f"'{name}' is no {self.kind} (a subclass of {self.base.__name__}).")
        close = nearest(name.removeprefix("./").rstrip("/\\"), self.steps)
        hint = f" Did you mean '{close}'?" if close else ""
        raise OptionError(f"There is no {self.kind} '{name}'.{hint} Known: {', '.join(sorted(self.steps))}.")

    def _build(self, cls: type[T], call: Call) -> T:
        options = [f.name for f in fields(cls) if not f.metadata.get("data")]  # type: ignore[arg-type]
        unnamed = [f.name for f in fields(cls) if f.name in options and not f.kw_only]  # type: ignore[arg-type]
        if len(call.positional) > len(unnamed):
            raise OptionError(
                f"{call.name} takes at most {len(unnamed)} values without a name. Got {len(call.positional)}."
            )
        given = dict(zip(unnamed, call.positional, strict=False))
        for key, value in call.named:
            if key not in options:
                close = nearest(key, options)
                hint = f" Did you mean '{close}'?" if close else ""
                raise OptionError(f"{call.name} has no option '{key}'.{hint} It takes: {', '.join(options) or 'none'}.")
            if key in given:
                raise OptionError(f"{call.name} got the option '{key}' twice.")
            given[key] = value
        hints = get_type_hints(cls)
        arguments = {key: _fit(value, hints[key], f"{call.name}.{key}", self) for key, value in given.items()}
        for field in fields(cls):  # type: ignore[arg-type]
            if field.default is MISSING and field.default_factory is MISSING and field.name not in arguments:
                raise OptionError(f"{call.name} needs the option '{field.name}'.")
        return cls(**arguments)


def _fit(value: object, hint: Any, name: str, registry: Registry[Any]) -> object:
    """Return ``value`` as the annotated type of a field, or say what would fit."""
    if hint is registry.base:  # a step made of steps of its own kind
        return registry.make(value)
    if isinstance(value, Call):
        value = str(value)
    accepted = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for one in accepted:
        ok, fitted = _fit_one(value, one, name, registry)
        if ok:
            return fitted
    raise OptionError(f"The '{name}' must be {_describe(accepted)}. Got {_render(value)}.")


def _fit_one(value: object, hint: Any, name: str, registry: Registry[Any]) -> tuple[bool, object]:
    origin = get_origin(hint)
    if origin is Literal:
        if value is None or isinstance(value, bool):
            value = _render(value)  # the word, where it is one of the choices
        return value in get_args(hint), value
    if origin is tuple:
        values = value if isinstance(value, tuple) else (value,)
        return True, tuple(_fit(one, get_args(hint)[0], name, registry) for one in values)
    if hint in (int, float) and isinstance(value, (int, hint)) and not isinstance(value, bool):
        return True, hint(value)
    if hint is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return True, _render(value)
    if hint is int and isinstance(value, bool):
        return False, value
    if hint is type(None):
        return value is None, None
    return isinstance(hint, type) and isinstance(value, hint), value


def _describe(hints: Sequence[Any]) -> str:
    words: Mapping[Any, str] = {
        int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "none",
    }  # fmt: skip
    parts = []
    for hint in hints:
        origin = get_origin(hint)
        if origin is Literal:
            parts.append("one of " + ", ".join(str(one) for one in get_args(hint)))
        elif origin is tuple:
            parts.append("a list")
        else:
            parts.append(words.get(hint, str(hint)))
    return " or ".join(parts)
