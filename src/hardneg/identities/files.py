"""What was found in identities as files: tables to read and to review, trials, a summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from hardneg.identities.examples import Examples
from hardneg.identities.look_alikes import Pairs, typical_examples
from hardneg.identities.survey import Survey
from hardneg.ragged import IntArray, places
from hardneg.storage import folder, place, refuse_taken, write_json
from hardneg.verify import Trials

__all__ = ["about", "refuse_existing", "write_survey"]

SUMMARY = "summary.json"


def refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Raise RunError where there is something already that may not be replaced: only an earlier survey ever is."""
    refuse_taken(out, SUMMARY, "holds no identities", overwrite=overwrite)


def write_survey(
    found: Survey, out: Path | str, *, provenance: Mapping[str, Any] | None = None, overwrite: bool = False
) -> tuple[str, ...]:
    """Write all files of a survey into a folder, whole or not at all; give what could not be written, in words.

    ``summary.json`` holds the figures; ``provenance`` goes into it. The same survey gives the same bytes.

    Raises RunError where ``out`` is taken, StorageError where the disk refuses.
    """
    out, notes = Path(out), []
    refuse_existing(out, overwrite=overwrite)
    with folder(out) as inside:
        for name, table in _TABLES.items():
            made = table(found)
            if made is not None:
                with place(inside / name) as file:
                    pyarrow.csv.write_csv(made, file)
        if spaced := _spaced(found.examples):
            notes.append(f"No trials are written: {spaced} is an id with a space, which a file of trials cannot hold.")
        else:
            _write_trials(found.examples, found.challenge.hard, inside / "trials.txt")
            _write_trials(found.examples, found.challenge.random, inside / "trials_random.txt")
        write_json({**about(found), **(provenance or {}), "notes": [*found.notes, *notes]}, inside / SUMMARY)
    return tuple(notes)


def about(found: Survey) -> dict[str, Any]:
    """The survey in figures, as JSON."""
    doubts, codes = found.doubts, found.examples.codes
    return {
        "identities": len(found.people),
        "items": int((codes >= 0).sum()),
        "sessions": None if found.examples.sessions is None else len(np.unique(found.examples.sessions[codes >= 0])),
        "may_be_one": None if doubts.same is None else len(doubts.same_names()[0]),
        "may_be_two": None if doubts.mixed is None else len(doubts.mixed_names()),
        "figures": {name: one.about() for name, one in found.figures.items()},
    }


def nearest(found: Survey) -> pa.Table:
    """``nearest.csv``: the graph of the nearest identities."""
    pairs, persons = found.look_alikes.nearest, found.doubts.persons
    columns = {"rank": pairs.rank, "may_be_one": persons[pairs.left] == persons[pairs.right]}
    return _pairs(found.examples, pairs, columns)


def look_alikes(found: Survey) -> pa.Table:
    """``look_alikes.csv``: the hundred pairs of identities that are most alike, those apart that may be one."""
    return _pairs(found.examples, found.look_alikes.closest(found.doubts.persons), {})


def same_identity(found: Survey) -> pa.Table | None:
    """``same_identity.csv``: pairs of names that may be one person, the surest first."""
    same = found.doubts.same
    if same is None:
        return None
    which = np.flatnonzero(same.reported)
    rank = np.zeros(len(which), np.int64)
    pairs = Pairs.of(found.examples, same.left[which], same.right[which], rank, same.likeness[which], 0)
    return _pairs(found.examples, pairs, {"q": same.q[which]})


def mixed(found: Survey) -> pa.Table | None:
    """``mixed.csv``: names that may be two persons, the surest first, each example with the part it is in."""
    doubts, examples = found.doubts, found.examples
    if doubts.mixed is None:
        return None
    rows = [np.flatnonzero(examples.codes == code) for code in doubts.mixed_names().tolist()]
    which = np.repeat(np.flatnonzero(doubts.mixed.reported), [len(one) for one in rows])
    every = np.concatenate([*rows, np.zeros(0, np.int64)]).astype(np.int64)
    order = np.lexsort((every, doubts.mixed.part[every], which))
    which, every = which[order], every[order]
    return pa.table(
        {
            "identity": _names(examples, examples.codes[every]),
            "part": doubts.mixed.part[every],
            "item": examples.ids.take(pa.array(every)),
            "likeness": doubts.mixed.likeness[which],
            "q": doubts.mixed.q[which],
        }
    )


def cohort(found: Survey) -> pa.Table:
    """``cohort.csv``: for each identity its nearest strangers, each with its most typical example."""
    examples, people, near = found.examples, found.people, found.look_alikes.cohort
    ours, theirs = near.identities.rows(), near.identities.values
    return pa.table(
        {
            "identity": _names(examples, people.codes[ours]),
            "other": _names(examples, people.codes[theirs]),
            "rank": places(near.identities.lengths()),
            "item": examples.ids.take(pa.array(typical_examples(examples, people)[theirs])),
            "likeness": near.scores,
        }
    )


_TABLES: dict[str, Callable[[Survey], pa.Table | None]] = {
    "nearest.csv": nearest,
    "look_alikes.csv": look_alikes,
    "same_identity.csv": same_identity,
    "mixed.csv": mixed,
    "cohort.csv": cohort,
}


def _pairs(examples: Examples, pairs: Pairs, more: Mapping[str, Any]) -> pa.Table:
    return pa.table(
        {
            "identity": _names(examples, pairs.left),
            "other": _names(examples, pairs.right),
            **more,
            "likeness": pairs.likeness,
            "item": examples.ids.take(pa.array(pairs.left_rows)),
            "other_item": examples.ids.take(pa.array(pairs.right_rows)),
            "score": pairs.scores,
        }
    )


def _names(examples: Examples, codes: IntArray) -> pa.Array:
    return pa.array(examples.names, pa.string()).take(pa.array(codes))


def _spaced(examples: Examples) -> str:
    """An id that has a space in it, if there is one."""
    ids = (str(one) for one in examples.ids.filter(pa.array(examples.codes >= 0)).to_pylist())
    return next((repr(one) for one in ids if len(one.split()) != 1), "")


def _write_trials(examples: Examples, trials: Trials, path: Path) -> None:
    """``enroll test target|nontarget``, a trial a line."""
    ids = [str(one) for one in examples.ids.to_pylist()]
    sides = zip(trials.left.tolist(), trials.right.tolist(), trials.target.tolist(), strict=True)
    with place(path) as file:
        for left, right, target in sides:
            file.write(f"{ids[left]} {ids[right]} {'target' if target else 'nontarget'}\n".encode())
