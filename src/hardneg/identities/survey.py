"""All that is looked at in the identities of a data set, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.errors import InputError
from hardneg.identities.challenge import Challenge, challenge_of, drawn
from hardneg.identities.doubts import Doubts, doubts_of
from hardneg.identities.examples import Examples
from hardneg.identities.figures import Figures, figures_of, normalised, scores_of
from hardneg.identities.look_alikes import LookAlikes, look_alikes_of
from hardneg.notation import require
from hardneg.progress import Progress, Silent
from hardneg.verify import Identities, summed_up

__all__ = ["COHORT", "Survey", "survey"]

COHORT = 300
_WEAK = 0.1  # an equal error rate above which doubts about names are doubtful
_STRANGERS = 10  # fewer say nothing of how strangers score


@dataclass(frozen=True, eq=False)
class Survey:
    """What was found.

    Args:
        examples: what was looked at.
        people: its identities as wholes.
        doubts: names that may be wrong.
        look_alikes: the nearest of each identity.
        challenge: trials with the hardest impostors, and with random ones.
        figures: the error rates by name: ``all`` trials, the same ``normalised``, ``undoubted`` without names that may
            be one, and the ``hard`` and ``random`` ones. Those that cannot be had are not there.
        notes: what a reader should know.
    """

    examples: Examples
    people: Identities
    doubts: Doubts
    look_alikes: LookAlikes
    challenge: Challenge
    figures: dict[str, Figures]
    notes: tuple[str, ...]


def survey(
    examples: Examples,
    *,
    cohort: int = COHORT,
    false_reports: float = 0.05,
    seed: int = 0,
    progress: Progress | None = None,
) -> Survey:
    """Look at the identities of examples: who is like whom, names that may be wrong, error rates, hard trials.

    Args:
        examples: the vectors and who they are of.
        cohort: how many of the nearest strangers of each identity are listed, and normalise scores.
        false_reports: the share of the reports of wrong names that may be false.
        seed: draws trials, halves of names and identities.
        progress: shows the stages.

    Raises InputError with fewer than two identities, where no identity has two examples, or without a target trial
    (two examples of one identity, of different sessions where sessions are known).

    >>> import pyarrow as pa
    >>> draw, who = np.random.default_rng(0), np.repeat(np.arange(20), 6)
    >>> voices = (draw.normal(size=(20, 16))[who] + 0.3 * draw.normal(size=(120, 16))).astype(np.float32)
    >>> found = survey(Examples(voices, pa.array(range(120)), who, tuple("abcdefghijklmnopqrst")))
    >>> found.figures["all"].eer.value < 0.01, len(found.look_alikes.nearest), len(found.doubts.same_names()[0])
    (True, 200, 0)
    """
    require(cohort >= 2, "cohort", "at least 2", cohort)
    progress = progress or Silent()
    if len(np.unique(examples.codes[examples.codes >= 0])) < 2:
        raise InputError(
            "There are fewer than two identities to tell apart.", remedy="Name the column that says who is who."
        )
    people = summed_up(examples.vectors, examples.codes)
    doubts = doubts_of(examples, false_reports=false_reports, seed=seed, progress=progress)
    look_alikes = look_alikes_of(examples, people, doubts.persons, cohort=cohort, seed=seed, progress=progress)
    challenge = challenge_of(examples, doubts.persons_of(examples.codes), seed=seed, progress=progress)
    figures, notes = _figures(examples, people, doubts, challenge, cohort, seed, progress)
    if figures["all"].eer.value > _WEAK:
        notes.append("The model tells these identities apart badly: names that it doubts are then often right.")
    told = (*examples.leaks, *doubts.notes, *notes)
    return Survey(examples, people, doubts, look_alikes, challenge, figures, told)


def _figures(
    examples: Examples, people: Identities, doubts: Doubts, challenge: Challenge, cohort: int, seed: int,
    progress: Progress,
) -> tuple[dict[str, Figures], list[str]]:  # fmt: skip
    trials, notes = drawn(examples, seed=seed), []
    if not trials.target.any():
        raise InputError(
            "No two examples of one identity can be compared, so nothing can be measured.",
            remedy="Give identities more examples; with sessions, from more than one of them.",
        )
    scores = scores_of(examples, trials)
    todo = {"all": (trials, scores)}
    strangers = len(np.unique(doubts.persons[people.codes])) - 2
    if strangers >= _STRANGERS:
        todo["normalised"] = (
            trials,
            normalised(examples, trials, scores, people, doubts.persons, top=cohort, seed=seed, progress=progress),
        )
    else:
        notes.append(f"Scores are not normalised: that takes {_STRANGERS} identities beside the two of a trial.")
    sides = (doubts.persons_of(examples.codes[side]) for side in (trials.left, trials.right))
    doubtful = ~trials.target & np.equal(*sides)
    if doubtful.any():
        todo["undoubted"] = trials.some(~doubtful), scores[~doubtful]
    for name, some in (("hard", challenge.hard), ("random", challenge.random)):
        todo[name] = some, scores_of(examples, some)
    made = {
        name: figures_of(some, found, examples.codes, seed=seed, progress=progress, what=name)
        for name, (some, found) in todo.items()
        if some.target.any() and not some.target.all()
    }
    return made, notes
