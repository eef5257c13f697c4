"""START HERE. The whole audit: what is there to go by, what it says, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardneg.auditing.answers import Answers, Judgements, answers_of, drawn_by
from hardneg.auditing.intervals import Interval
from hardneg.auditing.judged import judged_parts, judged_share
from hardneg.auditing.population import Coded, Population
from hardneg.auditing.result import Audit, Estimate
from hardneg.auditing.sample import Sample, draw
from hardneg.auditing.strata import bands, largest, rank_bands, strata_of
from hardneg.auditing.taught import Teacher, banded, teacher_of, teacher_scores, uncorrected
from hardneg.errors import OptionError
from hardneg.mining import Settings
from hardneg.ragged import BoolArray, IntArray
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["FEWEST", "audit", "sample_of"]

FEWEST = 40
"""The smallest useful number of judgements: if none of 40 is false, at most some 9% are."""


def audit(
    run: Run | str | Path,
    *,
    judgements: Judgements | Sequence[Judgements] = (),
    qrels: str | Path | Sequence[str | Path] = (),
    teacher: Teacher | None = None,
    settings: Settings | None = None,
) -> Audit:
    """Estimate how many of the mined negatives are false.

    Args:
        run: a finished run, or its directory. Decisions in its ledger (``decisions.jsonl``) take part.
        judgements: judged samples (CSV as :func:`sample_of` draws them, or ``hardneg audit RUN --draw 40``), ledgers,
            or lists of :class:`hardneg.decisions.Decision`.
        qrels: files of relevance judgements, BEIR or TREC: what they say of a mined pair is known.
        teacher: a second judge of all pairs, as the filter ``rescore`` names it (``cross_encoder(...)``,
            ``teacher(...)``, ``function(...)``), or any function of a list of ``(anchor text, item text)`` that gives
            a number for each.
        settings: caches and progress.

    Raises InputError for judgements that cannot be used, OptionError for a sample drawn with a teacher that is not
    given.

    >>> import numpy as np, hardneg as hn
    >>> vectors = np.random.default_rng(0).normal(size=(60, 8)).astype("f4")
    >>> known = hn.Positives.from_pairs([0, 1, 2], [0, 1, 2], items=hn.Collection.of(range(60)))
    >>> run = hn.mine(known, sources=hn.sources.Neighbors(vectors[:3], vectors), sampler="top(n=5)")
    >>> audit(run).best is None
    True
    """
    evidence = _Evidence.of(run, _listed(judgements), teacher, settings or Settings())
    files = [qrels] if isinstance(qrels, (str, Path)) else list(qrels)
    answers = answers_of(evidence.population, evidence.strata, _listed(judgements), files)
    estimates = [*_judged(evidence, answers), *_taught_alone(evidence, answers)]
    measured = bool(estimates) and estimates[0].kind == "measured"
    return Audit(
        mined=len(evidence.population),
        estimates=tuple(estimates),
        by=_parts(evidence, answers) if measured else {},
        notes=_notes(answers),
        advice=_advice(evidence, answers, estimates),
        details=_details(answers),
    )


def sample_of(
    run: Run | str | Path, number: int = FEWEST, *, teacher: Teacher | None = None, seed: int = 0,
    settings: Settings | None = None,
) -> tuple[Population, Sample]:  # fmt: skip
    """Draw mined pairs to judge; with a teacher they are drawn by its scores, which takes fewer judgements.

    A larger draw with the same seed holds every smaller one, and the first ``k`` pairs are the sample of size ``k``.
    """
    evidence = _Evidence.of(run, (), teacher, settings or Settings(), drawing=True)
    return evidence.population, draw(evidence.population, evidence.strata, number, seed)


@dataclass(frozen=True, eq=False)
class _Evidence:
    """The mined pairs, the strata that they are or were drawn by, and a teacher's scores."""

    population: Population
    strata: Coded
    by: str  # what the strata are made by: score or teacher
    teacher: str | None
    taught: FloatArray | None
    of_positives: FloatArray | None

    @classmethod
    def of(
        cls, run: Run | str | Path, judgements: Sequence[Judgements], teacher: Teacher | None, settings: Settings,
        *, drawing: bool = False,
    ) -> _Evidence:  # fmt: skip
        population = Population.of(run if isinstance(run, Run) else Run.open(run))
        name, taught, of_positives = None, None, None
        if teacher is not None:
            judge = teacher_of(teacher, settings.embeddings)
            name = str(judge)
            taught, of_positives = teacher_scores(judge, population, settings.pair_scores, settings.progress)
        by = ("score" if taught is None else "teacher") if drawing else drawn_by(population.run, judgements)
        if by == "teacher" and taught is None:
            raise OptionError("The sample was drawn with a teacher. Give the same again: --teacher ...")
        figure = population.score if by == "score" or taught is None else taught
        strata = strata_of(figure, ~population.known, by, *population.keys)
        return cls(population, strata, by, name, taught, of_positives)

    def cells(self, answers: Answers) -> Callable[[BoolArray], IntArray]:
        """The codes of cells to estimate in: the strata, with a teacher its bands within them."""
        taught = self.taught
        if taught is None:
            return lambda within: self.strata.codes  # noqa: ARG005 - the strata do not depend on the part
        return lambda within: banded(self.strata.codes, taught, answers, self.population.keys, within)


def _listed(judgements: Judgements | Sequence[Judgements]) -> list[Judgements]:
    from hardneg.decisions import Decision

    if isinstance(judgements, (str, Path)) or (judgements and isinstance(judgements[0], Decision)):
        return [judgements]  # type: ignore[list-item]
    return list(judgements)  # type: ignore[arg-type]


def _judged(evidence: _Evidence, answers: Answers) -> list[Estimate]:
    """By judgements, and with a teacher corrected by them; nothing where some pairs are unknown and none is judged."""
    known, total = int((answers.truth >= 0).sum()), len(answers.truth)
    if not answers.drawn and known < total:
        return []
    everything = np.ones(total, bool)
    plain = Estimate(_evidence(answers), "measured", judged_share(evidence.strata.codes, answers), _RIGHT)
    if evidence.taught is None or known == total:
        return [plain]
    codes = evidence.cells(answers)(everything)
    share = judged_share(codes, answers)
    number = len(np.unique(codes[codes >= 0]))
    both = Estimate(
        f"{_evidence(answers)} and the teacher {evidence.teacher} in {number} bands", "measured", share, _RIGHT
    )
    return [both, plain]


_RIGHT = ("The judgements are right, and what was skipped is like what was judged.",)


def _evidence(answers: Answers) -> str:
    parts = []
    if answers.drawn:
        parts.append(f"{answers.drawn:,} judgements")
    if settled := int(answers.settled.sum()):
        parts.append(f"{settled:,} {'more ' if parts else ''}known answers")
    return " and ".join(parts)


def _taught_alone(evidence: _Evidence, answers: Answers) -> list[Estimate]:
    """A teacher's word where nobody has judged anything."""
    if evidence.taught is None or evidence.of_positives is None or answers.drawn:
        return []
    share = uncorrected(evidence.taught, evidence.of_positives)
    why = (
        "The teacher is right, and a false negative scores at least as high as half of the known positives.",
        "Nothing shows that the teacher is right: judged pairs would.",
    )
    none = float("nan")
    return [Estimate(f"the teacher {evidence.teacher}", "uncorrected", Interval(share, none, none), why)]


def _parts(evidence: _Evidence, answers: Answers) -> dict[str, list]:  # type: ignore[type-arg]
    """The parts that a reader wants to see."""
    population = evidence.population
    figure = population.score if evidence.by == "score" or evidence.taught is None else evidence.taught
    parts = {
        "score" if evidence.by == "score" else "teacher's score": bands(figure, evidence.strata),
        "rank": rank_bands(population.rank),
        "source": population.source,
    }
    if population.group is not None:
        parts["group"] = largest(population.group)
    return {name: judged_parts(one, evidence.cells(answers), answers) for name, one in parts.items()}


def _notes(answers: Answers) -> tuple[str, ...]:
    return tuple(f"{count:,} answers {reason}." for reason, count in sorted(answers.counts.items()))


def _advice(evidence: _Evidence, answers: Answers, estimates: Sequence[Estimate]) -> tuple[str, ...]:
    run, drawn = evidence.population.run.path, answers.drawn
    if estimates and estimates[0].kind == "measured":
        share = estimates[0].share
        if share.high - share.low <= 0.02 or drawn == 0:
            return ()
        return (
            f"For an interval half as wide, judge some {4 * drawn}: "
            f"hardneg audit {run} --draw {4 * drawn} -o sample.csv",
        )
    many = int(evidence.population.run.positives.positive.lengths().max(initial=0))
    why = "Nobody has judged any of the mined pairs"
    if many <= 1:
        why += ", and no anchor has two known positives of which one could be hidden"
    return (f"{why}. Judge {FEWEST} pairs: hardneg audit {run} --draw {FEWEST} -o sample.csv",)


def _details(answers: Answers) -> dict[str, object]:
    drawn = (answers.truth >= 0) & ~answers.settled
    return {
        "judged": answers.drawn,
        "judged_false": int((answers.truth[drawn] == 1).sum()),
        "known": int(answers.settled.sum()),
        "known_false": int((answers.truth[answers.settled] == 1).sum()),
    }
