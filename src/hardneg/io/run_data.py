"""Which data a run was mined from: what its ``recipe.toml`` says of them, to read them again."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.run import Run

__all__ = ["data_of", "split_of"]

_PATHS = ("path", "media_root", "predictions")


def data_of(run: Run) -> dict[str, Any]:
    """The table [data] of the run's recipe, its paths made whole; empty where there is none.

    Raises InputError for a recipe that is damaged.
    """
    file = run.path / "recipe.toml"
    if not file.is_file():
        return {}
    try:
        data = dict(tomllib.loads(file.read_text(encoding="utf-8"))["data"])
        for name in set(_PATHS) & set(data):
            data[name] = Path(os.path.normpath(run.path / Path(data[name]).expanduser()))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"It is damaged ({error}).", path=file, remedy="Mine again.") from None
    return data


def split_of(data: Mapping[str, Any]) -> ReadOptions:
    """What a recipe says of splits."""
    excluded = data.get("exclude_split", ())
    return ReadOptions(
        split=data.get("split"),
        exclude_split=(excluded,) if isinstance(excluded, str) else tuple(excluded),
        mine_evaluation=data.get("mine_evaluation", False),
    )
