"""Lists of verification trials: an enrolment, a test and whether they are the same, in the order that is seen.

Kaldi and NIST SRE write ``enrolment test target``, VoxCeleb (Nagrani et al., Interspeech 2017) and SpeechBrain
``1 enrolment test``, others ``enrolment test 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._lists import first_lines, mostly
from hardneg.io.readers._trials import Trial, read_trials

__all__ = ["TRIALS"]

_SAME = {
    **dict.fromkeys(("1", "target", "tgt", "true", "same"), True),
    **dict.fromkeys(("0", "nontarget", "non-target", "imposter", "impostor", "imp", "false", "different"), False),
}
_LOOKED_AT, _MOST = 200, 0.9  # lines, and the share that must be trials


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    return path.is_file() and _truth(first_lines(path)) is not None


def _truth(lines: list[str]) -> int | None:
    """The column that says whether they are the same; None where there is none, or no telling which."""
    found = [_fields(line) for line in lines[:_LOOKED_AT]]
    if not mostly(found, lambda one: len(one) == 3, _MOST):
        return None
    found = [one for one in found if len(one) == 3]
    columns = [at for at in range(3) if mostly([one[at].lower() for one in found], _SAME.__contains__, _MOST)]
    return columns[0] if len(columns) == 1 else None


def _fields(line: str) -> list[str]:
    separator = next((one for one in ("\t", ",") if line.count(one) == 2), None)
    return [one.strip() for one in line.split(separator)]


def _trials(path: Path) -> Iterator[Trial]:
    truth = _truth(first_lines(path))
    if truth is None:
        raise InputError(
            "These are no trials: one column of three must say target or nontarget, or 1 or 0.",
            path=path,
            remedy="Write a line for each: enrolment test target.",
        )
    for number, line in text_lines(path):
        if not line.strip():
            continue
        fields = _fields(line)
        if len(fields) != 3:
            yield Trial(number, "", "", None)
            continue
        same = _SAME.get(fields.pop(truth).lower())
        yield Trial(number, fields[0], fields[1], same)


TRIALS = Format("trials", "a list of verification trials", _sniff, partial(read_trials, name="trials", trials=_trials))
