"""Which data a run was mined from: what its ``recipe.toml`` says of them, to read them again.

A refiltered run has no recipe, as none would make it anew; it has a ``data.toml`` with the table [data] alone.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.run import Run
from hardneg.storage import place

__all__ = ["data_of", "keep_data", "split_of"]

RECIPE, DATA = "recipe.toml", "data.toml"

_PATHS = (
    "path", "media_root", "predictions", "agreeing", "corpus", "exclude_ids", "unlabelled", "anchor_vectors",
    "item_vectors",
)  # fmt: skip


def data_of(run: Run) -> dict[str, Any]:
    """The table [data] of the run's recipe, its paths made whole; empty where there is none.

    Raises InputError for a recipe that is damaged.
    """
    file = next((run.path / name for name in (RECIPE, DATA) if (run.path / name).is_file()), None)
    if file is None:
        return {}
    try:
        data = dict(tomllib.loads(file.read_text(encoding="utf-8"))["data"])
        for name in set(_PATHS) & set(data):
            data[name] = Path(os.path.normpath(run.path / Path(data[name]).expanduser()))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"It is damaged ({error}).", path=file, remedy="Mine again.") from None
    return data


def keep_data(run: Run, made: Run) -> None:
    """Leave in a run made from another what that one says of its data; nothing where it says nothing."""
    data = data_of(run)
    if not data:
        return
    plain = {
        name: Path(os.path.relpath(value, made.path)).as_posix() if isinstance(value, Path) else value
        for name, value in data.items()
    }
    with place(made.path / DATA) as file:
        file.write(tomli_w.dumps({"data": plain}).encode())


def split_of(data: Mapping[str, Any]) -> ReadOptions:
    """What a recipe says of splits."""
    excluded = data.get("exclude_split", ())
    return ReadOptions(
        split=data.get("split"),
        exclude_split=(excluded,) if isinstance(excluded, str) else tuple(excluded),
        mine_evaluation=data.get("mine_evaluation", False),
    )
