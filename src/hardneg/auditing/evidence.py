"""What there is to go by: the mined pairs, the strata they were drawn by, a teacher's scores, hidden positives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

from hardneg.auditing.anew import Anew, mined_anew
from hardneg.auditing.answers import Answers, Judgements, drawn_by
from hardneg.auditing.hidden import Completeness, completeness_of
from hardneg.auditing.population import Coded, Population
from hardneg.auditing.strata import strata_of
from hardneg.auditing.taught import Teacher, banded, teacher_of, teacher_scores
from hardneg.errors import OptionError
from hardneg.labels import label_column
from hardneg.mining import Settings
from hardneg.progress import Progress
from hardneg.ragged import BoolArray, IntArray
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["Evidence", "Hidden"]

# What hiding gave, by run: a run never changes, and an audit is often asked again with more judgements.
_ANEW: WeakKeyDictionary[Run, Hidden] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Hidden:
    """Known positives, hidden and mined anew, and how complete the labels are at least."""

    anew: Anew
    completeness: Completeness


@dataclass(frozen=True, eq=False)
class Evidence:
    """All evidence but answers.

    Args:
        population: the mined pairs.
        strata: what samples are or were drawn by.
        by: what the strata are made by, ``score`` or ``teacher``.
        figure: the score of each mined pair by that.
        teacher: its name; None without one.
        taught: its score of each mined pair.
        of_positives: its score of each known positive.
        progress: shows how hiding goes.
    """

    population: Population
    strata: Coded
    by: str
    figure: FloatArray
    teacher: str | None
    taught: FloatArray | None
    of_positives: FloatArray | None
    progress: Progress

    @classmethod
    def of(
        cls, run: Run | str | Path, judgements: Sequence[Judgements], teacher: Teacher | None, settings: Settings,
        *, drawing: bool = False,
    ) -> Evidence:  # fmt: skip
        """Gather it. Raises OptionError for a sample drawn with a teacher that is not given."""
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
        return cls(population, strata, by, figure, name, taught, of_positives, settings.progress)

    def cells(self, answers: Answers) -> Callable[[BoolArray], IntArray]:
        """The codes of cells to estimate in: the strata, with a teacher its bands within them."""
        taught = self.taught
        if taught is None:
            return lambda within: self.strata.codes  # noqa: ARG005 - the strata do not depend on the part
        return lambda within: banded(self.strata.codes, taught, answers, self.population.keys, within)

    @cached_property
    def no_hidden(self) -> str:
        """Why no positive can be hidden; empty where some can."""
        run = self.population.run
        if label_column(run) is not None:
            return "Labels may be wrong, and hidden positives say nothing of that"
        if (run.positives.positive.lengths() < 2).all():
            return "No anchor has two known positives, of which one could be hidden"
        return ""

    @cached_property
    def hidden(self) -> Hidden | None:
        """Hidden positives; None where none can be hidden."""
        run = self.population.run
        if self.no_hidden:
            return None
        if run not in _ANEW:
            anew = mined_anew(run, progress=self.progress)
            _ANEW[run] = Hidden(anew, completeness_of(self.population, anew))
        return _ANEW[run]
