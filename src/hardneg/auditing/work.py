"""START HERE. The whole audit: what is there to go by, what it says, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hardneg.auditing.answers import Answers, Judgements, answers_of
from hardneg.auditing.evidence import Evidence
from hardneg.auditing.hidden import Mined, hidden_bound, hidden_parts, hidden_share
from hardneg.auditing.intervals import Interval
from hardneg.auditing.judged import judged_parts, judged_share
from hardneg.auditing.population import Coded, Population
from hardneg.auditing.result import Audit, Estimate, Part
from hardneg.auditing.sample import Sample, draw
from hardneg.auditing.strata import bands, largest, rank_bands
from hardneg.auditing.taught import Teacher, uncorrected
from hardneg.decisions import Decision
from hardneg.mining import Settings
from hardneg.notation import require
from hardneg.run import Run

__all__ = ["FEWEST", "audit", "sample_of"]

FEWEST = 40
"""The smallest useful number of judgements: if none of 40 is false, at most some 9% are."""

_USELESS = 0.5  # a bound that says nothing
_NARROW = 0.02  # an interval that needs no further judgements


def audit(
    run: Run | str | Path,
    *,
    judgements: Judgements | Sequence[Judgements] = (),
    qrels: str | Path | Sequence[str | Path] = (),
    teacher: Teacher | None = None,
    completeness: float | None = None,
    settings: Settings | None = None,
) -> Audit:
    """Estimate how many of the mined negatives are false.

    Known positives are always hidden and mined anew where anchors have several: that bounds the share from above. An
    estimate takes judgements.

    Args:
        run: a finished run, or its directory. Decisions in its ledger (``decisions.jsonl``) take part.
        judgements: judged samples (CSV as :func:`sample_of` draws them, or ``hardneg audit RUN --draw 40``), ledgers,
            or lists of :class:`hardneg.decisions.Decision`.
        qrels: files of relevance judgements, BEIR or TREC: what they say of a mined pair is known.
        teacher: a second judge of all pairs, as the filter ``rescore`` names it (``cross_encoder(...)``,
            ``teacher(...)``, ``function(...)``), or any function of a list of ``(anchor text, item text)`` that gives
            a number for each.
        completeness: the share of all positives that you believe to be known.
        settings: caches and progress.

    Raises InputError for judgements that cannot be used, OptionError for a sample drawn with a teacher that is not
    given or a ``completeness`` that is no share.

    >>> import numpy as np, hardneg as hn
    >>> vectors = np.random.default_rng(0).normal(size=(60, 8)).astype("f4")
    >>> known = hn.Positives.from_pairs([0, 1, 2], [0, 1, 2], items=hn.Collection.of(range(60)))
    >>> run = hn.mine(known, sources=hn.sources.Neighbors(vectors[:3], vectors), sampler="top(n=5)")
    >>> audit(run).best is None
    True
    """
    require(completeness is None or 0 < completeness <= 1, "completeness", "above 0 and at most 1", completeness)
    evidence = Evidence.of(run, _listed(judgements), teacher, settings or Settings())
    files = [qrels] if isinstance(qrels, (str, Path)) else list(qrels)
    answers = answers_of(evidence.population, evidence.strata, _listed(judgements), files)
    estimates = [
        *_judged(evidence, answers),
        *_hidden(evidence, completeness),
        *_known_alone(evidence, answers),
        *_taught_alone(evidence, answers),
    ]
    best = estimates[0].kind if estimates else "none"
    return Audit(
        mined=len(evidence.population),
        estimates=tuple(estimates),
        by=_parts(evidence, answers, best, completeness),
        notes=_notes(evidence, answers),
        advice=_advice(evidence, answers, estimates),
        details=_details(evidence, answers, estimates),
    )


def sample_of(
    run: Run | str | Path, number: int = FEWEST, *, teacher: Teacher | None = None, seed: int = 0,
    settings: Settings | None = None,
) -> tuple[Population, Sample]:  # fmt: skip
    """Draw mined pairs to judge; with a teacher they are drawn by its scores, which takes fewer judgements.

    A larger draw with the same seed holds every smaller one, and the first ``k`` pairs are the sample of size ``k``.
    """
    evidence = Evidence.of(run, (), teacher, settings or Settings(), drawing=True)
    return evidence.population, draw(evidence.population, evidence.strata, number, seed)


def _listed(judgements: Judgements | Sequence[Judgements]) -> list[Judgements]:
    if isinstance(judgements, (str, Path)) or (judgements and isinstance(judgements[0], Decision)):
        return [judgements]  # type: ignore[list-item]
    return list(judgements)  # type: ignore[arg-type]


def _judged(evidence: Evidence, answers: Answers) -> list[Estimate]:
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


def _known_alone(evidence: Evidence, answers: Answers) -> list[Estimate]:
    """By answers that were not drawn: they say what they say of themselves, and the others may be anything."""
    given = answers.settled & ~evidence.population.known
    if answers.drawn or not given.any() or answers.settled.all():
        return []
    false, open_, total = int((answers.truth == 1).sum()), int((~answers.settled).sum()), len(answers.truth)
    share = Interval(float("nan"), false / total, (false + open_) / total)
    why = "Who chose which pairs to judge may have chosen the false ones, so nothing is said of the others."
    return [Estimate(_evidence(answers), "measured", share, (why,))]


def _taught_alone(evidence: Evidence, answers: Answers) -> list[Estimate]:
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


_LEARNT = (
    "chose its one threshold by the hidden positives that are counted here (no model judged an anchor that it was "
    "fitted to): the figure may be a trifle too low for that."
)


def _hidden(evidence: Evidence, completeness: float | None) -> list[Estimate]:
    """By hidden positives: at a stated completeness, and at the least that the candidates allow."""
    if evidence.hidden is None:
        return []
    anew, found, mined = evidence.hidden.anew, evidence.hidden.completeness, Mined.of(evidence.population)
    alike = "Known positives are a random part of all positives: neither the easy nor the near ones alone."
    passed = tuple(f"{name} needs a model: hidden positives were taken to pass it." for name in anew.passed_over)
    learnt = tuple(f"{name} {_LEARNT}" for name in anew.learnt)
    hidden = f"{int((anew.weight > 0).sum()):,} hidden positives"
    estimates = []
    if completeness is not None:
        stated, share = f"a completeness of {completeness:.0%}", hidden_share(anew, mined, completeness)
        assumed = (f"Of all positives {completeness:.0%} are known, as stated.", alike, *passed, *learnt)
        estimates.append(Estimate(f"{hidden} and {stated}", "assumed", share, assumed))
    share = hidden_bound(anew, mined, found)
    top = f"It would be about {share.value:.1%} if nothing in the surest region ({found.region}) were a true negative."
    estimates.append(Estimate(hidden, "bound", share, (alike, *([top] if found.best else []), *passed, *learnt)))
    return estimates


def _parts(evidence: Evidence, answers: Answers, best: str, completeness: float | None) -> dict[str, list[Part]]:
    """The parts that a reader wants to see, by the best evidence."""
    population = evidence.population
    parts: dict[str, Coded] = {}
    if best == "measured":
        parts["score" if evidence.by == "score" else "teacher's score"] = bands(evidence.figure, evidence.strata)
        parts |= {"rank": rank_bands(population.rank), "source": population.source}
        if population.group is not None:
            parts["group"] = largest(population.group)
        return {name: judged_parts(one, evidence.cells(answers), answers) for name, one in parts.items()}
    if best in ("bound", "assumed") and evidence.hidden is not None:
        anew, ranks = evidence.hidden.anew, rank_bands(population.rank)
        both = anew, evidence.hidden.completeness
        return {"rank": hidden_parts(population, ranks, rank_bands(anew.rank).codes, both, completeness)}
    return {}


def _notes(evidence: Evidence, answers: Answers) -> tuple[str, ...]:
    told = [f"{count:,} answers {reason}." for reason, count in sorted(answers.counts.items())]
    return (*told, *([f"{evidence.no_hidden}."] if evidence.no_hidden else []))


def _advice(evidence: Evidence, answers: Answers, estimates: Sequence[Estimate]) -> tuple[str, ...]:
    run, drawn = evidence.population.run.path, answers.drawn
    if estimates and estimates[0].kind == "measured":
        share = estimates[0].share
        more = min(4 * drawn, len(evidence.population))
        if share.high - share.low <= _NARROW or more <= drawn:
            return ()
        return (f"For an interval half as wide, judge some {more:,}: hardneg audit {run} --draw {more} -o sample.csv",)
    weak = bool(estimates) and estimates[0].kind == "bound" and estimates[0].share.high >= _USELESS
    why = "The hidden positives are too few to say anything, and nobody" if weak else "Nobody"
    return (
        f"{why} has judged a sample of the mined pairs: only that gives an estimate. "
        f"Judge {FEWEST} pairs: hardneg audit {run} --draw {FEWEST} -o sample.csv",
    )


def _details(evidence: Evidence, answers: Answers, estimates: Sequence[Estimate]) -> dict[str, object]:
    drawn = (answers.truth >= 0) & ~answers.settled
    found: dict[str, object] = {
        "judged": answers.drawn,
        "judged_false": int((answers.truth[drawn] == 1).sum()),
        "known": int(answers.settled.sum()),
        "known_false": int((answers.truth[answers.settled] == 1).sum()),
    }
    if evidence.hidden is not None:
        anew, completeness = evidence.hidden.anew, evidence.hidden.completeness
        found["hidden"] = int((anew.weight > 0).sum())
        found["hidden_mined"] = int(anew.mined_unseen.sum())
        found["hidden_mined_where_others_name_them"] = int(anew.mined.sum())
        found["completeness_at_least"] = completeness.low
        if estimates and estimates[0].kind == "measured":
            false = [len(evidence.population) * end for end in (estimates[0].share.high, estimates[0].share.low)]
            hits = float(anew.weight[anew.mined_unseen].sum())
            found["completeness_by_judgements"] = [hits / (hits + one) if hits + one else None for one in false]
    return found
