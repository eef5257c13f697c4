"""The user's own functions: found from text, called with a role where they ask for one."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import HardnegError, InputError, OptionError
from hardneg.notation import require

__all__ = ["Called", "as_array", "describe", "load_callable", "wants_role"]


def load_callable(target: str) -> Callable[..., Any]:
    """Find ``module:function`` or ``folder/file.py:function``. This runs the module's own code.

    Raises OptionError where there is none.

    >>> load_callable("math:sqrt")(4)
    2.0
    """
    place, colon, attribute = target.rpartition(":")
    if not (colon and place and attribute):
        raise OptionError(f"The 'target' must be 'module:function' or 'file.py:function'. Got '{target}'.")
    found: Any = _module(place)
    for name in attribute.split("."):
        found = getattr(found, name, None)
    if not callable(found):
        raise OptionError(f"'{place}' has no function '{attribute}'.")
    return found  # type: ignore[no-any-return]


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ImportError as error:
            raise OptionError(
                f"The module '{place}' cannot be imported: {error}. To name a file, write 'folder/{place}.py:function'."
            ) from error
    path = Path(place).expanduser()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise OptionError(f"There is no file '{place}'.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except HardnegError:
        raise
    except Exception as error:  # whatever the user's own code raises
        raise OptionError(f"The file '{place}' cannot be loaded: {type(error).__name__}: {error}.") from error
    return module


def describe(function: Callable[..., Any]) -> str:
    """The text ``module:name`` of a function.

    >>> import math
    >>> describe(math.sqrt)
    'math:sqrt'
    """
    owner = function if hasattr(function, "__qualname__") else type(function)
    return f"{owner.__module__}:{owner.__qualname__}"


def wants_role(function: Callable[..., Any]) -> bool:
    """Whether a function has a parameter named ``role``. Any other second parameter is its own affair.

    >>> wants_role(lambda texts, role: None), wants_role(lambda texts, batch=32: None)
    (True, False)
    """
    try:
        return "role" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C tell nothing
        return False


def as_array(result: Any, who: str) -> NDArray[np.generic]:
    """What a user's function returned (lists, an array, a tensor) as a float32 array."""
    if hasattr(result, "detach"):
        result = result.detach().float().cpu()
    try:
        return np.asarray(result, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{who} must return numbers, all rows of one length: {error}.") from error


@dataclass(frozen=True)
class Called:
    """What steps made of a user's function share: its name or itself, its version, its batches."""

    name: ClassVar[str] = "function"
    target: str = ""
    version: str | None = None
    batch_size: int = 64
    call: Callable[..., Any] | None = field(default=None, metadata={"data": True})

    def __post_init__(self) -> None:
        require(self.batch_size > 0, "batch_size", "a whole number above 0", self.batch_size)
        require(bool(self.target) or self.call is not None, "target", "'module:function'", "none")
        if self.call is not None and not self.target:
            object.__setattr__(self, "target", describe(self.call))

    @cached_property
    def _function(self) -> Callable[..., Any]:
        return self.call or load_callable(self.target)

    @property
    def chunk(self) -> int:
        """One batch, so that an error costs one call at most."""
        return self.batch_size
