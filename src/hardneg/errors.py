"""Everything hardneg raises on purpose.

    HardnegError                 the base: catch this one to catch them all
    ├── InputError               the data are wrong: a file, a line, an id, a vector (also a ValueError)
    ├── OptionError              an option or a step is wrong (also a ValueError)
    ├── MissingExtraError        an optional package is not installed (also an ImportError)
    ├── RunError                 a run directory exists already, is incomplete or is damaged
    └── StorageError             the disk is full or may not be written (also an OSError)

A message has three parts: what is wrong, what was found, what to do next.
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "HardnegError",
    "InputError",
    "MissingExtraError",
    "OptionError",
    "RunError",
    "StorageError",
]


class HardnegError(Exception):
    """Base of every error that hardneg raises on purpose."""


class InputError(HardnegError, ValueError):
    """The data are wrong.

    >>> print(InputError("The field '_id' is missing.", path="corpus.jsonl", line=3, remedy="Give each line an '_id'."))
    corpus.jsonl, line 3: The field '_id' is missing. Give each line an '_id'.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        remedy: str | None = None,
    ) -> None:
        place = str(path) if path is not None else ""
        if line is not None:
            place = f"{place}, line {line}" if place else f"line {line}"
        text = f"{place}: {message}" if place else message
        super().__init__(f"{text} {remedy}" if remedy else text)
        self.path = Path(path) if path is not None else None
        self.line = line


class OptionError(HardnegError, ValueError):
    """An option or a step is wrong."""


class MissingExtraError(HardnegError, ImportError):
    """A package that only some work needs is not installed.

    >>> print(MissingExtraError("sentence_transformers", extra="text"))
    This needs the package 'sentence_transformers', which is not installed. Run: pip install "hardneg[text]"
    """

    def __init__(self, package: str, *, extra: str) -> None:
        super().__init__(
            f"This needs the package '{package}', which is not installed. Run: pip install \"hardneg[{extra}]\""
        )


class RunError(HardnegError):
    """A run directory exists already, is incomplete or is damaged."""


class StorageError(HardnegError, OSError):
    """The disk is full, or a place may not be written."""
