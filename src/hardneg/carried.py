"""Files of models that come inside packages, found without running any code of these packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from hardneg.errors import MissingExtraError

__all__ = ["carried"]


def carried(package: str, file: str, extra: str, besides: str = "") -> Path:
    """The path of ``file`` inside an installed package.

    ``besides`` is what to do where the extra does not bring the package.

    Raises MissingExtraError where the package is not installed or holds no such file.
    """
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    error = MissingExtraError(package if spec is None else f"{package}' with the file '{file}", extra=extra)
    error.msg = f"{error.msg} {besides}".rstrip()  # what an ImportError shows
    raise error
