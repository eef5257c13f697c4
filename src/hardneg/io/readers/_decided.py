"""What people decided before, put into what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hardneg.decisions import Decision, decisions_file, read_decisions
from hardneg.errors import InputError
from hardneg.io.reading import Reading
from hardneg.replay import replayed

__all__ = ["decisions_of", "with_decisions"]


def with_decisions(reading: Reading, paths: Sequence[Path]) -> Reading:
    """The same reading, with the decisions of these ledgers or runs in its relations, and the account of them."""
    found = replayed(reading.positives, decisions_of(paths))
    files = {f"decisions-{number}": decisions_file(path) for number, path in enumerate(paths)}
    return replace(reading, positives=found.positives, decisions=found.counts, files={**reading.files, **files})


def decisions_of(paths: Sequence[Path]) -> list[Decision]:
    """The decisions of several ledgers or runs, in the order of their times.

    Raises InputError for a path without one.
    """
    out: list[Decision] = []
    for path in paths:
        file = decisions_file(path)
        if not file.is_file():
            raise InputError(
                "There are no decisions here.", path=path, remedy="Make some with: hardneg review RUN, or leave it out."
            )
        out += read_decisions(file)
    return sorted(out, key=lambda one: one.when) if len(paths) > 1 else out
